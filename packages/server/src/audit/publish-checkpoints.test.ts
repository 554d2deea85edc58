import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { newLogKey, testAuditLog } from '../../test/log-key.ts';
import { createLogger, fixedClock } from '../foundation/index.ts';
import { checkpointFolder } from './checkpoint-folder.ts';
import { appendAudit, auditMigrations, publishedLog } from './index.ts';
import { createCheckpointPublisher, type PublishedCheckpoint } from './publish-checkpoints.ts';

const DAY = 86_400_000;
const event = { organizationId: 'acme', actor: 'system', action: 'a.b', subject: 's' };
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function world() {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-checkpoints-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const database = await createTestDatabase(auditMigrations);
  ends.push(() => database.close());
  const clock = fixedClock('2026-11-21T08:00:00Z');
  const key = newLogKey();
  const place = join(folder, 'checkpoints');
  const told: PublishedCheckpoint[] = [];
  const { db } = database;
  const publisherOf = (tell = async (checkpoint: PublishedCheckpoint) => void told.push(checkpoint)) =>
    createCheckpointPublisher({
      db,
      organizationId: 'acme',
      log: testAuditLog({ db, key }),
      clock,
      logger: createLogger({ level: 'silent' }),
      everyMilliseconds: DAY,
      places: checkpointFolder(place),
      tell: (_transaction, checkpoint) => tell(checkpoint),
    });
  const append = () => appendAudit(db, [event], clock.now());
  return { database, clock, key, place, told, publisherOf, append };
}

it('publishes a checkpoint in each period in which the log grew, once, whoever does it', async () => {
  const { clock, place, told, publisherOf, append } = await world();
  const [one, other] = [publisherOf(), publisherOf()];
  expect(await one.publishIfDue()).toBe(false);
  await append();
  expect((await Promise.all([one.publishIfDue(), other.publishIfDue()])).toSorted()).toEqual([false, true]);
  await append();
  expect(await other.publishIfDue()).toBe(false);
  clock.advance(DAY);
  expect([await other.publishIfDue(), await one.publishIfDue()]).toEqual([true, false]);
  clock.advance(DAY);
  expect(await one.publishIfDue()).toBe(false);
  expect(told.map(({ size }) => size)).toEqual([1, 2]);
  expect(readdirSync(place).toSorted()).toEqual(['1.checkpoint', '2.checkpoint']);
  expect(readFileSync(join(place, '2.checkpoint'), 'utf8')).toBe(told[1]?.checkpoint);
});

it('publishes again what could not be told', async () => {
  const { told, publisherOf, append } = await world();
  await append();
  const failing = publisherOf(() => Promise.reject(new Error('the outbox is away')));
  await expect(failing.publishIfDue()).rejects.toThrow('the outbox is away');
  expect(await publisherOf().publishIfDue()).toBe(true);
  expect(told.map(({ size }) => size)).toEqual([1]);
});

it('never overwrites a file, and takes a half-written one for none', async () => {
  const { place, publisherOf, append } = await world();
  const files = checkpointFolder(place);
  expect(await files.newest()).toBeUndefined();
  await files.write(10, 'ten');
  await files.write(9, 'nine');
  await files.write(10, 'another');
  writeFileSync(join(place, '11.checkpoint.new'), 'half');
  expect(await files.newest()).toBe('ten');
  await append();
  await publisherOf().publishIfDue();
  expect(readFileSync(join(place, '10.checkpoint'), 'utf8')).toBe('ten');
});

it('signs nothing after an older database was brought back, as long as its own checkpoints are in the folder', async () => {
  const { database, key, place, publisherOf, append } = await world();
  await append();
  await append();
  await publisherOf().publishIfDue();
  // The backup had one entry and no checkpoint; another change is made since.
  await database.pool.query('truncate audit_logs, audit_tiles, audit_publications');
  await database.pool.query('delete from audit_entries where sequence = 2');
  const restored = () =>
    testAuditLog({
      db: database.db,
      key,
      published: async () => [(await checkpointFolder(place).newest()) ?? ''].filter(Boolean),
    });
  await expect(restored().advance()).rejects.toMatchObject({ code: 'AUDIT_LOG_DAMAGED' });
  await append();
  await append();
  await expect(restored().advance()).rejects.toMatchObject({ code: 'AUDIT_LOG_DAMAGED' });
  await expect(publishedLog(database.db, 'acme').checkpoint()).rejects.toMatchObject({ code: 'CONFLICT' });
  rmSync(place, { recursive: true });
  expect((await restored().advance()).split('\n')[1]).toBe('3');
});
