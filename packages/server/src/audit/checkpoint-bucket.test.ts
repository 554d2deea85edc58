import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { newLogKey, testAuditLog } from '../../test/log-key.ts';
import { type MotoServer, startMoto } from '../../test/moto-server.ts';
import { requireProgram } from '../../test/requirements.ts';
import {
  createLogger,
  createOutbound,
  createOutboundPolicy,
  parseConfig,
  systemClock,
} from '../foundation/index.ts';
import type { CheckpointPlaces } from './checkpoint-place.ts';
import {
  appendAudit,
  auditMigrations,
  createCheckpointPlaces,
  createCheckpointPublisher,
  parseTrust,
  verifierKey,
  verifyLog,
} from './index.ts';

const event = { organizationId: 'acme', actor: 'system', action: 'a.b', subject: 's' };
const program = requireProgram('moto_server');

describe.skipIf(program === undefined)('checkpoints in S3', () => {
  let moto: MotoServer;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto[Symbol.asyncDispose]());

  /** As a configuration has it, with the keys from the environment. */
  function placesAt(prefix: string, changed: { readonly bucket?: string; readonly url?: string } = {}) {
    const s3 = {
      endpoint: changed.url ?? moto.url,
      region: 'eu-central-1',
      bucket: changed.bucket ?? moto.bucket,
      prefix,
      access_key_id: '$' + '{KEY}',
      secret_access_key: '$' + '{SECRET}',
    };
    const config = parseConfig({
      text: JSON.stringify({ audit: { publish: { s3 } } }),
      file: 'habeas.yaml',
      environment: { KEY: 'key', SECRET: 'secret' },
    });
    const outbound = createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.0/8'] }) });
    return createCheckpointPlaces({ config, outbound, clock: systemClock });
  }

  function publisherOf(
    options: Pick<Parameters<typeof testAuditLog>[0], 'db' | 'key'> & { readonly places: CheckpointPlaces },
  ) {
    const { db, places } = options;
    const told: string[] = [];
    const publisher = createCheckpointPublisher({
      db,
      organizationId: 'acme',
      log: testAuditLog({ ...options, published: () => places.newest() }),
      clock: systemClock,
      logger: createLogger({ level: 'silent' }),
      everyMilliseconds: 0,
      places,
      tell: async (_transaction, { checkpoint }) => void told.push(checkpoint),
    });
    return { publisher, told };
  }

  it('are there under the number of their entries, and the newest is found among other objects', async () => {
    const places = placesAt('first/');
    expect(await places.newest()).toEqual([]);
    await places.write(9, 'nine');
    await places.write(10, 'ten');
    await places.write(10, 'another');
    await fetch(`${moto.url}/${moto.bucket}/first/11.checkpoint.new`, { method: 'PUT', body: 'half' });
    await fetch(`${moto.url}/${moto.bucket}/first/other/99.checkpoint`, { method: 'PUT', body: 'deeper' });
    expect(await places.newest()).toEqual(['ten']);
    expect(await placesAt('second/').newest()).toEqual([]);
    const listed = await (await fetch(`${moto.url}/${moto.bucket}?list-type=2&prefix=first/1`)).text();
    expect(listed).toContain('<Key>first/10.checkpoint</Key>');
    places.close();
  });

  it('show that an older database was brought back: nothing is signed, and verifying names it', async () => {
    await using database = await createTestDatabase(auditMigrations);
    const { db } = database;
    const key = newLogKey();
    const places = placesAt('log/');
    await appendAudit(db, [event, event], new Date());
    const { publisher, told } = publisherOf({ db, key, places });
    expect(await publisher.publishIfDue()).toBe(true);
    const published = await places.newest();
    expect(published).toEqual(told);

    await database.pool.query('truncate audit_logs, audit_tiles, audit_publications');
    await database.pool.query('delete from audit_entries where sequence = 2');
    const restored = publisherOf({ db, key, places });
    await expect(restored.publisher.publishIfDue()).rejects.toMatchObject({ code: 'AUDIT_LOG_DAMAGED' });
    expect(restored.told).toEqual([]);
    const trust = parseTrust(verifierKey('acme.example/audit', key.publicKey));
    const options = { db, organizationId: 'acme', trust };
    expect((await verifyLog({ ...options, published })).fault?.what).toBe('log-missing');
    expect((await verifyLog(options)).fault).toBeUndefined();
    places.close();
  });

  it('hold back every signature and message while the bucket cannot be read, and go on when it can', async () => {
    await using database = await createTestDatabase(auditMigrations);
    const { db } = database;
    await appendAudit(db, [event], new Date());
    await using down = await startMoto();
    await down.kill();
    const key = newLogKey();
    const away = placesAt('away/', { url: down.url });
    const blind = publisherOf({ db, key, places: away });
    await expect(blind.publisher.publishIfDue()).rejects.toMatchObject({ code: 'STORAGE_UNREACHABLE' });
    const wrong = placesAt('away/', { bucket: 'nowhere' });
    await expect(wrong.newest()).rejects.toMatchObject({
      code: 'STORAGE_REFUSED',
      message: expect.stringContaining('audit.publish.s3'),
    });
    expect(blind.told).toEqual([]);
    const back = placesAt('away/');
    const seeing = publisherOf({ db, key, places: back });
    expect(await seeing.publisher.publishIfDue()).toBe(true);
    expect(await back.newest()).toEqual(seeing.told);
    for (const places of [away, wrong, back]) places.close();
  });
});
