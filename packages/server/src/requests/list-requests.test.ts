import { api } from '@habeas/contract';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { auditMigrations } from '../audit/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { type Caller, requestMigrations } from './index.ts';
import { listRequests } from './list-requests.ts';

const caller: Caller = { organizationId: 'acme', actor: 'key:officer' };
const STATES = ['running', 'completed', 'blocked', 'rejected'] as const;
const RIGHTS = ['access', 'erasure'] as const;
const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

/** 120 requests that differ in everything that can be filtered; several are due at the same moment. */
const rows = Array.from({ length: 120 }, (_, number) => ({
  organization_id: number % 10 === 9 ? 'other' : 'acme',
  id: `req_${String(number).padStart(3, '0')}${number % 3 === 0 ? 'z' : 'a'}`,
  state: STATES[number % 4] as string,
  right_kind: RIGHTS[number % 2] as string,
  regime: number % 5 === 0 ? null : number % 5 < 3 ? 'gdpr' : 'ccpa',
  owner: number % 7 === 0 ? 'legal' : null,
  received_at: new Date(START + number * HOUR).toISOString(),
  due_at: new Date(START + ((number * 37) % 20) * 24 * HOUR).toISOString(),
  completed_at: number % 4 === 1 || number % 4 === 3 ? new Date(START + 900 * HOUR).toISOString() : null,
}));

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...notifyMigrations, ...requestMigrations });
  await sql`
    insert into requests (organization_id, id, state, right_kind, regime, owner, received_at, due_at, completed_at,
      dry_run, identity_types, received_by)
    select r.*, false, '{email}', 'key:test'
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (organization_id text, id text, state text, right_kind text,
      regime text, owner text, received_at timestamptz, due_at timestamptz, completed_at timestamptz)`.execute(
    database.db,
  );
});
afterAll(() => database.close());

const moment = fc.integer({ min: 0, max: 500 }).map((hour) => new Date(START + hour * HOUR).toISOString());
const filter = fc.record(
  {
    state: fc.constantFrom(...STATES),
    right: fc.constantFrom(...RIGHTS),
    open: fc.constantFrom('true', 'false'),
    regime: fc.constantFrom('gdpr', 'ccpa'),
    owner: fc.constantFrom('legal', 'nobody'),
    due_before: moment,
    received_from: moment,
    received_before: moment,
    id: fc.constantFrom('req_', 'req_0', 'req_05', 'req_003z', 'x'),
    order: fc.constantFrom('newest', 'due'),
  },
  { requiredKeys: [] },
);

function expected(query: api.RequestFilter): readonly string[] {
  const fits = rows.filter(
    (row) =>
      row.organization_id === 'acme' &&
      (query.state === undefined || row.state === query.state) &&
      (query.right === undefined || row.right_kind === query.right) &&
      (query.open === undefined || (row.completed_at === null) === (query.open === 'true')) &&
      (query.regime === undefined || row.regime === query.regime) &&
      (query.owner === undefined || row.owner === query.owner) &&
      (query.due_before === undefined || row.due_at < query.due_before) &&
      (query.received_from === undefined || row.received_at >= query.received_from) &&
      (query.received_before === undefined || row.received_at < query.received_before) &&
      row.id.startsWith(query.id ?? ''),
  );
  const byId = fits.map(({ id }) => id).sort();
  if (query.order !== 'due') return byId.reverse();
  return fits
    .sort((one, other) => (`${one.due_at}${one.id}` < `${other.due_at}${other.id}` ? -1 : 1))
    .map(({ id }) => id);
}

describe('the list of requests', () => {
  it('gives, page by page, exactly those that fit, in the order that was asked for', async () => {
    await fc.assert(
      fc.asyncProperty(filter, fc.integer({ min: 7, max: 60 }), async (asked, limit) => {
        const query = api.requestFilterSchema.parse(asked);
        const got: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await listRequests(database.db, caller, { ...query, cursor, limit });
          expect(page.items.length).toBeLessThanOrEqual(limit);
          got.push(...page.items.map(({ id }) => id));
          cursor = page.next ?? undefined;
        } while (cursor !== undefined);
        expect(got).toEqual(expected(query));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses a cursor of another order', async () => {
    const query = { order: 'due', cursor: 'req_001', limit: 10 } as const;
    await expect(listRequests(database.db, caller, query)).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});
