import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { type LogKey, newLogKey, testAuditLog } from '../../test/log-key.ts';
import { createLogger, openDatabase } from '../foundation/index.ts';
import { entryBytes } from './append-audit.ts';
import { openCheckpoint, parseProof, rootFromInclusion, verifyConsistency } from './habeas-verify.mjs';
import {
  type AuditLog,
  appendAudit,
  auditMigrations,
  type LogVerdict,
  parseTrust,
  publishedLog,
  verifyLog,
} from './index.ts';
import { integrate } from './integrate.ts';
import { leafHashOf } from './merkle.ts';

const ORIGIN = 'acme.example/audit';
const now = new Date('2026-11-21T08:00:00Z');
const opened: TestDatabase[] = [];
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});

interface World {
  readonly database: TestDatabase;
  readonly key: LogKey;
  readonly log: AuditLog;
}

const logOf = ({ db }: Pick<TestDatabase, 'db'>, key: LogKey, origin = ORIGIN) =>
  testAuditLog({ db, key, origin });

async function world(): Promise<World> {
  const database = await createTestDatabase(auditMigrations);
  opened.push(database);
  const key = newLogKey();
  return { database, key, log: logOf(database, key) };
}

const event = (number: number, organizationId = 'acme') => ({
  organizationId,
  actor: 'system',
  action: 'task.succeeded',
  subject: `tsk_${number}`,
  details: { number },
});

async function append({ database }: Pick<World, 'database'>, count: number, from = 0): Promise<void> {
  await appendAudit(
    database.db,
    Array.from({ length: count }, (_, at) => event(from + at)),
    now,
  );
}

const trustOf = async (log: AuditLog) => parseTrust((await log.verifierKeys()).join('\n'));
const head = async ({ log }: World, note: string) => openCheckpoint(note, await trustOf(log));

async function verdict({ database, log }: World, published: readonly string[] = []): Promise<LogVerdict> {
  return verifyLog({ db: database.db, organizationId: 'acme', trust: await trustOf(log), published });
}

/** Entry numbers in the order in which the log has them. */
async function logged({ database }: World, size: number): Promise<readonly number[]> {
  const shown = publishedLog(database.db, 'acme');
  const numbers: number[] = [];
  for (let tile = 0; tile * 256 < size; tile += 1) {
    const bundle = Buffer.from(await shown.entries(tile, Math.min(256, size - tile * 256)));
    for (let at = 0; at < bundle.length; ) {
      const length = bundle.readUInt16BE(at);
      numbers.push(JSON.parse(bundle.toString('utf8', at + 2, at + 2 + length)).details.number);
      at += 2 + length;
    }
  }
  return numbers;
}

describe('the log', () => {
  it('takes every committed entry once, in order, and signs what it has', async () => {
    const here = await world();
    expect((await head(here, await here.log.advance())).size).toBe(0);
    await append(here, 300);
    await appendAudit(here.database.db, [event(7, 'another')], now);
    await append(here, 300, 300);
    const note = await here.log.advance();
    expect(await head(here, note)).toMatchObject({ origin: ORIGIN, size: 600 });
    expect(await logged(here, 600)).toEqual(Array.from({ length: 600 }, (_, at) => at));
    expect(await here.log.advance()).toBe(note);
    expect(await verdict(here, [note])).toEqual({ entries: 600, signed: 600, fault: undefined });
  });

  it('waits for a transaction that has a number already, and passes over none that commits late', async () => {
    const here = await world();
    await append(here, 2);
    const { promise: go, resolve: commit } = Promise.withResolvers<void>();
    const { promise: written, resolve: wrote } = Promise.withResolvers<void>();
    const late = here.database.db.transaction().execute(async (transaction) => {
      await appendAudit(transaction, [event(2)], now);
      wrote();
      await go;
    });
    await written;
    await append(here, 2, 3);
    expect((await head(here, await here.log.advance())).size).toBe(2);
    commit();
    await late;
    expect((await head(here, await here.log.advance())).size).toBe(5);
    expect(await logged(here, 5)).toEqual([0, 1, 2, 3, 4]);
  });

  it('says now and then who holds it back, and goes on when it ends', async () => {
    const { database, key } = await world();
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    let time = Date.now();
    let looks = 0;
    const clock = {
      now: () => {
        looks += 1;
        return new Date(time);
      },
    };
    const log = testAuditLog({
      db: database.db,
      key,
      clock,
      logger: createLogger({ level: 'warn', destination }),
      warnAfterMilliseconds: 300,
    });
    const holder = await database.db.startTransaction().execute();
    await appendAudit(holder, [event(0)], now);
    await append({ database }, 1, 1);
    log.start();
    const said = () => lines.filter((line) => line.includes('pg_terminate_backend'));
    await eventually('it is said', () => said().length > 0);
    const { pid } =
      (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(holder)).rows[0] ?? {};
    expect(JSON.parse(said()[0] ?? '')).toMatchObject({ pid, state: 'idle in transaction' });
    // However often it looks, it is not said again before it is time.
    time += 299;
    const before = looks;
    await eventually('it has looked again and again', () => looks > before + 20);
    expect(said()).toHaveLength(1);
    time += 1;
    await eventually('it is said again', () => said().length > 1);
    await holder.commit().execute();
    await eventually('both are logged', async () => {
      const note = await log.checkpoint();
      return openCheckpoint(note, await trustOf(log)).size === 2;
    });
    await log.stop();
    expect(said()).toHaveLength(2);
  });

  it('goes on over numbers that were rolled back', async () => {
    const here = await world();
    await append(here, 1);
    const failed = here.database.db.transaction().execute(async (transaction) => {
      await appendAudit(transaction, [event(9)], now);
      throw new Error('rolled back');
    });
    await expect(failed).rejects.toThrow('rolled back');
    await append(here, 1, 1);
    await here.log.advance();
    expect(await logged(here, 2)).toEqual([0, 1]);
    expect((await verdict(here)).fault).toBeUndefined();
  });

  it('stays one log when many processes write to it and advance it at once', async () => {
    const here = await world();
    const others = [openDatabase({ url: here.database.url }), openDatabase({ url: here.database.url })];
    const logs = [here.log, ...others.map((other) => logOf(other, here.key))];
    const seen: string[] = [];
    const writers = Array.from({ length: 12 }, async (_, writer) => {
      const { db } = others[writer % 2] ?? here.database;
      for (let at = 0; at < 15; at += 1) {
        await db
          .transaction()
          .execute((transaction) => appendAudit(transaction, [event(writer * 100 + at)], now));
        // So that there are several beginnings to compare, however fast the others write.
        if (at % 5 === 4) seen.push(await (logs[writer % 3] ?? here.log).advance());
      }
    });
    let writing = true;
    const advancing = logs.map(async (log) => {
      while (writing) seen.push(await log.advance());
    });
    await Promise.all(writers);
    writing = false;
    await Promise.all(advancing);
    const last = await here.log.advance();
    for (const other of others) await other.close();
    const numbers = await logged(here, 180);
    expect(new Set(numbers).size).toBe(180);
    for (let writer = 0; writer < 12; writer += 1) {
      const own = numbers.filter((number) => Math.floor(number / 100) === writer);
      expect(own).toEqual(own.toSorted((one, other) => one - other));
    }
    // No two checkpoints disagree: each that anybody saw is a beginning of the last one.
    const trust = await trustOf(here.log);
    const shown = publishedLog(here.database.db, 'acme');
    for (const note of new Set(seen)) {
      const proof = await shown.proveConsistency((await head(here, note)).size);
      expect(verifyConsistency(JSON.stringify(proof), note, trust)).toMatchObject({ verified: true });
    }
    expect(new Set([...seen, last]).size).toBeGreaterThan(2);
    expect(await verdict(here, [...new Set([...seen, last])])).toMatchObject({
      entries: 180,
      fault: undefined,
    });
  });

  it('signs after a crash between taking entries and signing what was taken, and nothing that was not committed', async () => {
    const here = await world();
    await append(here, 10);
    const before = await here.log.advance();
    await append(here, 10, 10);
    // The process dies here: the tree is stored, and no checkpoint has it.
    await integrate({ db: here.database.db, organizationId: 'acme', origin: ORIGIN });
    expect(await publishedLog(here.database.db, 'acme').checkpoint()).toBe(before);
    const key = { ...here.key, sign: () => Promise.reject(new Error('the key is away')) };
    await expect(logOf(here.database, key).advance()).rejects.toThrow('the key is away');
    const after = await logOf(here.database, here.key).advance();
    expect((await head(here, after)).size).toBe(20);
    expect(await verdict(here, [before, after])).toMatchObject({ entries: 20, fault: undefined });
  });

  it('advances by itself, and says so when it was begun under another name', async () => {
    const here = await world();
    here.log.start();
    await append(here, 3);
    await expect
      .poll(
        async () =>
          (
            await head(
              here,
              await publishedLog(here.database.db, 'acme')
                .checkpoint()
                .catch(() => here.log.advance()),
            )
          ).size,
      )
      .toBe(3);
    await here.log.stop();
    const renamed = logOf(here.database, here.key, 'other.example/audit');
    await expect(renamed.advance()).rejects.toThrow('was begun as acme.example/audit');
  });
});

describe('what the log shows', () => {
  it('proves each entry against the newest checkpoint, and none that it does not have', async () => {
    const here = await world();
    await append(here, 270);
    const note = await here.log.advance();
    await append(here, 1, 270);
    const shown = publishedLog(here.database.db, 'acme');
    const { root } = await head(here, note);
    for (const sequence of [1, 2, 255, 256, 257, 270]) {
      const proved = await shown.proveEntry(sequence);
      if (proved === undefined) throw new Error('There is no proof.');
      const { index, hashes, checkpoint } = parseProof(proved.proof);
      expect([index, checkpoint]).toEqual([sequence - 1, note]);
      const leaf = leafHashOf(entryBytes(proved.entry));
      expect(rootFromInclusion({ leaf, index, size: 270, hashes })?.equals(root)).toBe(true);
    }
    expect(await shown.proveEntry(271)).toBeUndefined();
    await expect(shown.proveEntry(999)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(shown.tile({ level: 0, number: 1 }, 15)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(shown.proveConsistency(271)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect(await shown.tile({ level: 0, number: 1 }, 14)).toHaveLength(14 * 32);
    expect(await shown.tile({ level: 1, number: 0 }, 1)).toHaveLength(32);
  });
});

describe('verifying the whole log', () => {
  const run = (here: World, ...statements: readonly string[]) =>
    Promise.all(statements.map((statement) => here.database.pool.query(statement)));

  it.each([
    ['edit', "update audit_entries set actor = 'key:mallory' where sequence = 300", 'entry-changed', 299],
    [
      'edit with its hash',
      "update audit_entries set subject = 'tsk_x', leaf_hash = sha256('x') where sequence = 300",
      'entry-changed',
      299,
    ],
    [
      'edit of a time',
      "update audit_entries set at = at - interval '1 day' where sequence = 1",
      'entry-changed',
      0,
    ],
    ['drop', 'delete from audit_entries where sequence = 300', 'entry-removed', 299],
    ['drop of the first', 'delete from audit_entries where sequence = 1', 'entry-removed', 0],
    ['truncation of entries', 'delete from audit_entries where sequence > 590', 'entry-removed', 590],
    [
      'swap',
      `update audit_entries a set subject = b.subject, details = b.details, leaf_hash = b.leaf_hash, id = b.id
       from audit_entries b where (a.sequence, b.sequence) in ((10, 20), (20, 10))`,
      'entry-changed',
      9,
    ],
    [
      'change of a tile',
      `update audit_tiles set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) where level = 1`,
      'tree-changed',
      0,
    ],
    ['loss of a tile', 'delete from audit_tiles where level = 0 and number = 1', 'tree-changed', 256],
    [
      'change of the checkpoint',
      `update audit_logs set checkpoint = replace(checkpoint, '600', '599')`,
      'checkpoint-changed',
      null,
    ],
  ])('finds the %s and names the first bad entry', async (_name, attack, what, index) => {
    const here = await world();
    await append(here, 600);
    await here.log.advance();
    await run(here, attack);
    expect((await verdict(here)).fault).toMatchObject({ what, index });
  });

  it('finds an entry that was put in between', async () => {
    const here = await world();
    await append(here, 5);
    await run(here, `select nextval('audit_entries_sequence_seq')`);
    await append(here, 5, 5);
    await here.log.advance();
    await run(
      here,
      `insert into audit_entries (organization_id, sequence, id, at, actor, action, subject, details, leaf_hash)
       overriding system value
       select organization_id, 6, 'aud_x', at, actor, action, subject, details, leaf_hash from audit_entries where sequence = 1`,
    );
    expect((await verdict(here)).fault).toMatchObject({ what: 'entry-inserted', index: 5, sequence: 6 });
  });

  it('finds a log that was truncated with its tree and its checkpoint, by a checkpoint that was published', async () => {
    const here = await world();
    await append(here, 20);
    const early = await here.log.advance();
    await append(here, 20, 20);
    const published = await here.log.advance();
    const rebuild = async () => {
      await run(here, 'truncate audit_logs, audit_tiles');
      return here.log.advance();
    };
    await run(here, 'delete from audit_entries where sequence > 30');
    await rebuild();
    expect((await verdict(here)).fault).toBeUndefined();
    expect((await verdict(here, [published])).fault).toMatchObject({ what: 'log-missing', index: 30 });
    expect((await verdict(here, [early])).fault).toBeUndefined();

    // Fork and splice: the end is another one, as long as the first.
    await append(here, 10, 500);
    await rebuild();
    expect((await verdict(here, [early])).fault).toBeUndefined();
    expect((await verdict(here, [published])).fault).toMatchObject({ what: 'checkpoint-continues-another' });
    const shown = publishedLog(here.database.db, 'acme');
    const proof = JSON.stringify(await shown.proveConsistency(40));
    expect(verifyConsistency(proof, published, await trustOf(here.log))).toMatchObject({ verified: false });
  });

  it('does not let the log sign over a tree that does not continue its newest checkpoint', async () => {
    const here = await world();
    await append(here, 300);
    const before = await here.log.advance();
    await run(
      here,
      'update audit_tiles set hashes = set_byte(hashes, 9, get_byte(hashes, 9) # 1) where level = 1',
    );
    await append(here, 1, 300);
    await expect(here.log.advance()).rejects.toMatchObject({ code: 'AUDIT_LOG_DAMAGED' });
    expect(await publishedLog(here.database.db, 'acme').checkpoint()).toBe(before);
  });
});
