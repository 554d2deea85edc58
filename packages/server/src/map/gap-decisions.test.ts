import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { serveMetrics } from '../../test/page-server.ts';
import { auditMigrations, listAudit } from '../audit/index.ts';
import { createLogger, fixedClock, parseConfig } from '../foundation/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { createMap } from './create-map.ts';
import { mapMigrations } from './migrations.ts';

const PAGE = `store{team="data",service="bigtable",data_type="phone"} 1
transmit{team="data",service="bigtable",to_service="vendor",data_type="ip"} 1
client{team="data",address="pd-client.data.svc:1337",protocol="grpc"} 1
`;
const actor = 'key:key_1';

async function opened() {
  const database = await createTestDatabase({ ...auditMigrations, ...notifyMigrations, ...mapMigrations });
  const page = await serveMetrics(PAGE);
  const value = {
    map: { scrape: [{ url: page.url }] },
    data_types: { ip: 'user.device.ip_address' },
  };
  const config = parseConfig({ text: JSON.stringify(value), file: 'habeas.yaml', environment: {} });
  const clock = fixedClock('2026-11-21T08:00:00Z');
  const logger = createLogger({ level: 'silent' });
  const open = (organizationId = 'acme') =>
    createMap({
      db: database.db,
      clock,
      organizationId,
      config,
      logger,
      suggestCategory: (dataType) => (dataType === 'phone' ? 'user.contact.phone_number' : undefined),
    });
  const map = open();
  await map.poll();
  const gapOf = async (kind: string, query: Parameters<typeof map.gapList>[0] = {}) =>
    (await map.gapList(query)).items.find((gap) => gap.kind === kind);
  return {
    database,
    map,
    open,
    gapOf,
    async [Symbol.asyncDispose]() {
      await page[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

it('a receiver that nobody declares is no gap any more once somebody approved it, until they take it back', async () => {
  await using house = await opened();
  const { map, gapOf } = house;
  const gap = await gapOf('undeclared-receiver');
  expect(gap).toMatchObject({ service: 'vendor', decision: null });
  const id = gap?.id ?? '';
  const before = (await map.map()).counts.gaps;
  const reason = 'Our post office';
  expect(await map.approveGap({ id, actor, reason })).toMatchObject({
    decision: { decision: 'approved', reason, decided_by: actor, decided_at: '2026-11-21T08:00:00.000Z' },
  });
  expect(await gapOf('undeclared-receiver')).toBeUndefined();
  expect((await map.map()).counts.gaps).toBe(before - 1);
  expect(await gapOf('undeclared-receiver', { approved: 'true' })).toMatchObject({ id });
  expect(await map.reopenGap({ id, actor, reason: 'They left' })).toMatchObject({ decision: null });
  expect(await gapOf('undeclared-receiver')).toMatchObject({ id, decision: null });
  await expect(map.reopenGap({ id, actor, reason: 'x' })).rejects.toMatchObject({ code: 'CONFLICT' });
});

it('a gap that somebody rejected stays one, with the reason', async () => {
  await using house = await opened();
  const id = (await house.gapOf('undeclared-receiver'))?.id ?? '';
  await house.map.rejectGap({ id, actor, reason: 'No contract' });
  expect(await house.gapOf('undeclared-receiver')).toMatchObject({
    decision: { decision: 'rejected', reason: 'No contract' },
  });
});

it('a category that somebody approved counts in every answer, as far as the configuration gives none', async () => {
  await using house = await opened();
  const { map, gapOf } = house;
  const gap = await gapOf('data-type-without-category');
  expect(gap).toMatchObject({ data_type: 'phone', proposed_category: 'user.contact.phone_number' });
  const id = gap?.id ?? '';
  const category = 'user.contact.phone_number';
  // What was written before must not be taken for what is true now.
  const stores = async () => JSON.parse((await map.mapJson()).bytes.toString()).stores;
  expect(await stores()).toMatchObject([{ category: null }]);
  await expect(map.approveGap({ id, actor, reason: 'x' })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  const other = (await gapOf('undeclared-receiver'))?.id ?? '';
  await expect(map.approveGap({ id: other, actor, reason: 'x', category })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  });
  await map.approveGap({ id, actor, reason: 'It is a number', category });
  expect(await stores()).toMatchObject([{ category }]);
  expect((await map.map({ category: 'user.contact' })).stores).toMatchObject([{ data_type: 'phone' }]);
  expect(await gapOf('data-type-without-category')).toBeUndefined();
  expect(await gapOf('data-type-without-category', { approved: 'true' })).toMatchObject({
    decision: { category },
  });
  expect((await house.open().map()).stores).toMatchObject([{ category }]);
  await map.reopenGap({ id, actor, reason: 'It was none' });
  expect(await stores()).toMatchObject([{ category: null }]);
});

it('what is decided is in the audit log and among the events, and another organization has none of it', async () => {
  await using house = await opened();
  const { map, database, gapOf } = house;
  const id = (await gapOf('undeclared-receiver'))?.id ?? '';
  await map.approveGap({ id, actor, reason: 'Our post office' });
  const audit = await listAudit(database.db, { organizationId: 'acme', subject: id, limit: 10 });
  expect(audit).toMatchObject([
    {
      actor,
      action: 'gap.approved',
      details: { kind: 'undeclared-receiver', service: 'vendor', reason: 'Our post office' },
    },
  ]);
  const { rows } = await sql<{ data: string }>`
    select data from outbox_events where type = 'gap.approved'`.execute(database.db);
  expect(rows.map(({ data }) => JSON.parse(data))).toEqual([
    { gap: id, kind: 'undeclared-receiver', service: 'vendor', team: null, data_type: null },
  ]);
  const theirs = house.open('umbra');
  await theirs.poll();
  expect((await theirs.gapList()).items.find((gap) => gap.id === id)?.decision).toBeNull();
  await expect(theirs.reopenGap({ id, actor, reason: 'x' })).rejects.toMatchObject({ code: 'CONFLICT' });
});

it('what is only to be mended has no id, and a client names the one that is decided about', async () => {
  await using house = await opened();
  const client = await house.gapOf('client-not-approved');
  expect(client?.id).toBeNull();
  const id = client?.client ?? '';
  const decided = await house.map.decideClient({ id, decision: 'rejected', actor, reason: 'A stranger' });
  expect(decided).toMatchObject({ state: 'rejected', reason: 'A stranger' });
  await expect(house.map.approveGap({ id: 'gap_none', actor, reason: 'x' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});
