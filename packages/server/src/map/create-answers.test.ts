import { api } from '@habeas/contract';
import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { auditMigrations, listAudit } from '../audit/index.ts';
import { fixedClock } from '../foundation/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { type ApplyOptions, applyReading } from './apply-reading.ts';
import { createAnswers } from './create-answers.ts';
import type { Declaration } from './declaration.ts';
import { mapMigrations } from './migrations.ts';

const migrations = { ...auditMigrations, ...notifyMigrations, ...mapMigrations };
const organizationId = 'acme';
const PAGE = 'http://a.example/metrics';
const OTHER = 'http://b.example/metrics';
const LIST = 'declarations';

const at = (time: string) => `2026-11-21T${time}.000Z`;

function store(service: string, dataType: string, details: object = {}): Declaration {
  return { kind: 'store', team: 'data', service, dataType, ...details };
}

function transmit(service: string, toService: string, dataType: string, details: object = {}): Declaration {
  return { kind: 'transmit', team: 'data', service, toService, dataType, ...details };
}

interface Poll extends Pick<ApplyOptions, 'kind' | 'lossPercent'> {
  readonly time: string;
  readonly source?: string;
  readonly declarations: readonly Declaration[];
  readonly complete?: boolean;
}

function poll({ db }: Pick<TestDatabase, 'db'>, { time, source = PAGE, declarations, ...rest }: Poll) {
  const { complete = true, ...options } = rest;
  return applyReading(db, {
    ...options,
    organizationId,
    startedAt: new Date(at(time)),
    reading: { state: 'read', source, declarations, rejections: [], problems: [], complete },
  });
}

function open({ db }: Pick<TestDatabase, 'db'>, time = '12:00:00') {
  const categories = new Map([
    ['ip', 'user.device.ip_address'],
    ['email', 'user.contact.email'],
    ['tap', 'user.contactless'],
  ]);
  return createAnswers({
    db,
    clock: fixedClock(at(time)),
    organizationId,
    configured: () => new Set([PAGE, OTHER, LIST]),
    connections: [],
    categoryOf: (dataType) => categories.get(dataType),
    external: new Set(['vendor']),
  });
}

const flowsOf = ({ flows }: Pick<api.MapView, 'flows'>) =>
  flows.map(({ from, to, data_type: type }) => `${from} ${type} ${to}`);

async function intervalsOf({ db }: Pick<TestDatabase, 'db'>) {
  const { rows } = await sql<{ text: string }>`
    select coalesce(service, '') || ' ' || coalesce(data_type, '') || ' '
      || to_char(first_seen at time zone 'UTC', 'HH24:MI') || '–'
      || coalesce(to_char(last_seen at time zone 'UTC', 'HH24:MI'), '') as text
    from map_declarations order by 1`.execute(db);
  return rows.map(({ text }) => text);
}

async function typesOf({ db }: Pick<TestDatabase, 'db'>) {
  const { rows } = await sql<{ type: string }>`select type from outbox_events order by sequence`.execute(db);
  return rows.map(({ type }) => type);
}

describe('the filter', () => {
  const declarations = [
    store('lake', 'ip'),
    store('lake', 'tap'),
    transmit('front', 'lake', 'email'),
    transmit('front', 'vendor', 'email'),
    transmit('front', 'adnet', 'ip'),
    { ...store('vendor', 'email'), team: 'buyers' },
  ];

  it('takes a category with those below it, and no other that begins alike', async () => {
    await using database = await createTestDatabase(migrations);
    await poll(database, { time: '08:00:00', declarations });
    const answers = open(database);
    const contact = await answers.map({ category: 'user.contact' });
    expect(flowsOf(contact)).toEqual(['front email lake', 'front email vendor']);
    expect(contact.stores.map(({ data_type: type }) => type)).toEqual(['email']);
    expect((await answers.map({ category: 'user.contactless' })).stores).toMatchObject([
      { data_type: 'tap' },
    ]);
    expect((await answers.map({ category: 'user' })).counts).toMatchObject({ flows: 3, stores: 3 });
  });

  it('calls external what the configuration says, and receivers that nobody declared', async () => {
    await using database = await createTestDatabase(migrations);
    await poll(database, { time: '08:00:00', declarations });
    const answers = open(database);
    const outside = await answers.map({ external: 'true' });
    expect(flowsOf(outside)).toEqual(['front ip adnet', 'front email vendor']);
    expect(outside.services.filter(({ external }) => external).map(({ name }) => name)).toEqual([
      'adnet',
      'vendor',
    ]);
    expect(flowsOf(await answers.map({ external: 'false' }))).toEqual(['front email lake']);
  });

  it('is said by every answer, with the moment and the counts', async () => {
    await using database = await createTestDatabase(migrations);
    await poll(database, { time: '08:00:00', declarations });
    const answers = open(database);
    const filter = { team: 'data', data_type: 'email', as_of: at('09:00:00') } as const;
    const asked = { at: at('12:00:00'), as_of: at('09:00:00'), filter };
    const map = await answers.map(filter);
    expect(map).toMatchObject({
      ...asked,
      counts: { services: 3, teams: 2, data_types: 1, stores: 0, flows: 2 },
    });
    expect(api.mapSchema.parse(map)).toEqual(map);
    const gaps = await answers.gapList(filter);
    expect(api.gapListSchema.parse(gaps)).toMatchObject(asked);
    const reached = await answers.reach('downstream', { ...filter, service: 'front' });
    expect(api.reachSchema.parse(reached)).toEqual(reached);
    expect(reached.counts).toEqual({ services: 2, teams: 2, data_types: 1, flows: 2 });
    const paths = await answers.paths({ ...filter, from: 'front', to: 'vendor', max_hops: 6, limit: 10 });
    expect(api.pathsSchema.parse(paths)).toEqual(paths);
    expect(paths.counts).toEqual({ paths: 1, services: 2, data_types: 1 });
    const impact = await answers.impact({ ...filter, service: 'front' });
    expect(api.impactSchema.parse(impact)).toEqual(impact);
    const impacts = await answers.impacts(filter);
    expect(api.impactListSchema.parse(impacts)).toEqual(impacts);
    expect(impacts.items[0]).toMatchObject({ service: 'front', downstream: 2, upstream: 0 });
  });

  it('names the nearest services when there is none of a name, and refuses a time to come', async () => {
    await using database = await createTestDatabase(migrations);
    await poll(database, { time: '08:00:00', declarations });
    const answers = open(database);
    await expect(answers.map({ service: 'fornt' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('Did you mean front?'),
    });
    await expect(answers.impact({ service: 'nothing like it' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('list all of them'),
    });
    await expect(answers.map({ as_of: at('13:00:00') })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect((await answers.map({ as_of: at('12:00:30') })).as_of).toBe(at('12:00:00'));
  });
});

describe('other moments', () => {
  it('show what was declared then, whichever intervals ended or began since', async () => {
    await using database = await createTestDatabase(migrations);
    await poll(database, { time: '08:00:00', declarations: [store('lake', 'ip')] });
    await poll(database, { time: '09:00:00', declarations: [store('lake', 'ip'), store('lake', 'tap')] });
    await poll(database, { time: '10:00:00', declarations: [store('lake', 'tap')] });
    const answers = open(database);
    const types = async (time?: string) =>
      (await answers.map(time === undefined ? {} : { as_of: at(time) })).stores.map(
        (entry) => entry.data_type,
      );
    expect(await types('07:59:59')).toEqual([]);
    expect(await types('08:00:00')).toEqual(['ip']);
    expect(await types('09:00:00')).toEqual(['ip', 'tap']);
    expect(await types('10:00:00')).toEqual(['tap']);
    expect(await types()).toEqual(['tap']);
  });

  it('show what began before them, went and came back, to servers that know an earlier state too', async () => {
    await using database = await createTestDatabase(migrations);
    const [first, second] = [open(database), open(database)];
    const sides = async (time: string) => [
      flowsOf(await first.map({ as_of: at(time) })),
      flowsOf(await second.map({ as_of: at(time) })),
    ];
    const ip = transmit('front', 'lake', 'ip');
    const tap = transmit('front', 'lake', 'tap');
    await poll(database, { time: '08:00:00', declarations: [ip, tap] });
    expect(await sides('08:30:00')).toEqual([
      ['front ip lake', 'front tap lake'],
      ['front ip lake', 'front tap lake'],
    ]);
    await poll(database, { time: '09:00:00', declarations: [tap] });
    await poll(database, { time: '09:00:00', source: OTHER, declarations: [ip] });
    await poll(database, { time: '10:00:00', declarations: [ip, tap] });
    const before = ['front ip lake', 'front tap lake'];
    expect(await sides('08:00:00')).toEqual([before, before]);
    expect(await sides('08:59:59')).toEqual([['front tap lake'], ['front tap lake']]);
    expect(await sides('09:30:00')).toEqual([before, before]);
    const twice = ['front ip lake', 'front ip lake', 'front tap lake'];
    expect(await sides('11:00:00')).toEqual([twice, twice]);
    const { flows } = await second.map({ as_of: at('11:00:00') });
    expect(flows.map(({ source }) => source)).toEqual([PAGE, OTHER, PAGE]);
  });

  it('are compared: added, removed and changed, with who and when', async () => {
    await using database = await createTestDatabase(migrations);
    const before = [
      store('lake', 'ip'),
      transmit('lake', 'crm', 'email', { purpose: 'support' }),
      store('crm', 'email'),
    ];
    const after = [
      store('lake', 'tap'),
      transmit('lake', 'crm', 'email', { purpose: 'marketing' }),
      store('crm', 'email'),
    ];
    await poll(database, { time: '08:00:00', declarations: before });
    await poll(database, { time: '09:00:00', declarations: after });
    const answers = open(database);
    const { changes } = await answers.map({ compare_to: at('08:30:00').replace('08:30', '08:00') });
    const by = [{ team: 'data', source: PAGE }];
    expect(changes).toMatchObject({
      from: at('08:00:00'),
      to: at('12:00:00'),
      added: [{ kind: 'store', service: 'lake', data_type: 'tap', at: at('09:00:00'), by, before: [] }],
      removed: [{ kind: 'store', service: 'lake', data_type: 'ip', at: at('08:00:00'), by, after: [] }],
      changed: [
        {
          kind: 'flow',
          service: 'lake',
          to_service: 'crm',
          data_type: 'email',
          at: at('09:00:00'),
          by,
          before: [{ purpose: 'support' }],
          after: [{ purpose: 'marketing' }],
        },
      ],
    });
    const reversed = await answers.map({ as_of: at('08:00:00'), compare_to: at('11:00:00') });
    expect(reversed.changes).toMatchObject({
      from: at('08:00:00'),
      to: at('11:00:00'),
      added: changes?.added,
    });
    const filtered = await answers.map({ compare_to: at('08:00:00'), category: 'user.contactless' });
    expect(filtered.changes).toMatchObject({ added: [{ data_type: 'tap' }], removed: [], changed: [] });
    expect((await answers.map({})).changes).toBeNull();
  });

  it('are written as JSON the same as their views, in the order of the API', async () => {
    await using database = await createTestDatabase(migrations);
    const flow = transmit('lake', 'crm', 'email', { purpose: 'a "b" ü' });
    await poll(database, { time: '08:00:00', declarations: [store('lake', 'ip'), flow] });
    await poll(database, { time: '09:00:00', declarations: [flow] });
    const answers = open(database);
    for (const asked of [
      {},
      { as_of: at('08:30:00') },
      { as_of: at('08:30:00'), compare_to: at('10:00:00'), team: 'data' },
      { group_by: 'team' as const },
    ]) {
      const query = api.mapQuerySchema.parse(asked);
      const { bytes, release } = await answers.mapJson(query);
      const want = JSON.stringify(api.mapSchema.encode(await answers.map(query)));
      expect(bytes.toString()).toBe(want);
      // What is not given back is written over by nobody; what is, once only.
      const other = await answers.mapJson({ group_by: 'team' });
      expect(bytes.toString()).toBe(want);
      release();
      release();
      const [one, two] = [await answers.mapJson(query), await answers.mapJson({ group_by: 'team' })];
      expect([one.bytes.toString(), two.bytes.toString()]).toEqual([want, other.bytes.toString()]);
      one.release();
    }
  });

  it('tell what changed without the map beside it, and with the same words', async () => {
    await using database = await createTestDatabase(migrations);
    const flow = transmit('lake', 'crm', 'email');
    await poll(database, { time: '08:00:00', declarations: [store('lake', 'ip'), flow] });
    await poll(database, { time: '09:00:00', declarations: [flow, store('crm', 'email')] });
    const answers = open(database);
    const query = api.mapChangesQuerySchema.parse({ as_of: at('09:30:00'), compare_to: at('08:00:00') });
    const { bytes, release } = await answers.changesJson(query);
    const told = api.mapDifferenceSchema.parse(JSON.parse(bytes.toString()));
    release();
    const { changes, as_of } = await answers.map(query);
    expect(told).toMatchObject({ as_of, counts: { added: 1, removed: 1, changed: 0 } });
    expect(told.changes).toEqual(changes);
    expect(told.changes.added).toMatchObject([{ kind: 'store', service: 'crm' }]);
    // The same, whichever moment is asked for first.
    const other = { as_of: query.compare_to, compare_to: at('09:30:00') };
    const turned = await answers.changesJson(api.mapChangesQuerySchema.parse(other));
    expect(JSON.parse(turned.bytes.toString()).changes).toEqual(changes);
    turned.release();
    const none = { ...query, service: 'crn' };
    await expect(answers.changesJson(none)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('tell the same changes as the maps of both moments, whatever sources said, stopped saying, or left the configuration', async () => {
    await using database = await createTestDatabase(migrations);
    const all: readonly Declaration[] = ['lake', 'crm', 'front'].flatMap((service) => [
      ...['ip', 'tap'].map((type) => store(service, type)),
      ...['support', 'marketing', undefined].map((purpose) =>
        transmit(service, 'vendor', 'email', purpose === undefined ? {} : { purpose }),
      ),
    ]);
    const hours = Array.from({ length: 8 }, (_, hour) => `${String(hour).padStart(2, '0')}:00:00`);
    const said = fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length });
    const polls = hours.flatMap((time) => [PAGE, OTHER, 'gone'].map((source) => ({ time, source })));
    for (const [index, says] of fc.sample(said, { numRuns: polls.length, seed: 7 }).entries()) {
      const { time = '', source = '' } = polls[index] ?? {};
      await poll(database, { time, source, declarations: all.filter((_, which) => says[which]) });
    }
    const answers = open(database);
    let told = 0;
    const pairs = hours.flatMap((one) => [undefined, ...hours].map((other) => [one, other] as const));
    const filters = [{}, { category: 'user.contact' }, { data_type: 'tap' }, { service: 'lake' }];
    const questions = pairs.flatMap((pair) => filters.map((filter) => [...pair, filter] as const));
    for (const [compareTo, asOf, filter] of questions) {
      const asked = {
        ...filter,
        compare_to: at(compareTo),
        ...(asOf === undefined ? {} : { as_of: at(asOf) }),
      };
      const { bytes, release } = await answers.changesJson(api.mapChangesQuerySchema.parse(asked));
      const { changes } = await answers.map(asked);
      const alone = JSON.parse(bytes.toString()).changes;
      expect(alone).toEqual(changes);
      told += alone.added.length + alone.removed.length + alone.changed.length;
      release();
    }
    expect(told).toBeGreaterThan(100);
  });

  it('are summed up by team', async () => {
    await using database = await createTestDatabase(migrations);
    const crm: Declaration = { ...store('crm', 'email'), team: 'sales' };
    await poll(database, {
      time: '08:00:00',
      declarations: [transmit('lake', 'crm', 'email'), transmit('lake', 'adnet', 'ip'), crm],
    });
    const { teams, services, flows, counts } = await open(database).map({ group_by: 'team' });
    expect([services, flows, counts.flows]).toEqual([[], [], 2]);
    expect(teams?.items.map(({ team, services: own }) => [team, own])).toEqual([
      ['data', ['lake']],
      ['sales', ['crm']],
      [null, ['adnet']],
    ]);
    expect(teams?.flows).toEqual([
      {
        from_team: 'data',
        to_team: 'sales',
        data_types: ['email'],
        categories: ['user.contact.email'],
        flows: 1,
      },
      {
        from_team: 'data',
        to_team: null,
        data_types: ['ip'],
        categories: ['user.device.ip_address'],
        flows: 1,
      },
    ]);
  });
});

describe('impact', () => {
  it('says what is exposed, whom it reaches along each data type, and whom to call', async () => {
    await using database = await createTestDatabase(migrations);
    const of = (team: string, declaration: Declaration): Declaration => ({ ...declaration, team });
    await poll(database, {
      time: '08:00:00',
      declarations: [
        of('web', transmit('front', 'lake', 'ip')),
        store('lake', 'ip'),
        transmit('lake', 'crm', 'ip'),
        of('sales', transmit('crm', 'vendor', 'ip')),
        of('sales', transmit('crm', 'other', 'email')),
      ],
    });
    const impact = await open(database).impact({ service: 'lake' });
    expect(impact).toMatchObject({
      teams: ['data'],
      external: false,
      counts: { categories: 1, data_types: 1, services: 4, teams: 3 },
      categories: ['user.device.ip_address'],
      data: [{ data_type: 'ip', stored: true, received: true, sent: true }],
      upstream: [{ service: 'front', hops: 1 }],
      downstream: [
        { service: 'crm', hops: 1 },
        { service: 'vendor', hops: 2, external: true },
      ],
    });
    expect(impact.call.map(({ team, because }) => [team, because])).toEqual([
      ['data', ['owner']],
      ['sales', ['downstream']],
      ['web', ['upstream']],
      [null, ['downstream']],
    ]);
  });
});

describe('what a person wrote down', () => {
  it('is a gap where no program says it, and what programs say beyond it too', async () => {
    await using database = await createTestDatabase(migrations);
    await poll(database, {
      time: '08:00:00',
      source: LIST,
      kind: 'file',
      declarations: [store('lake', 'ip'), store('lake', 'email')],
    });
    const kinds = async () =>
      (await open(database).gaps())
        .filter(({ kind }) => kind === 'declared-not-seen' || kind === 'seen-not-declared')
        .map((gap) => [gap.kind, gap.service, gap.data_type]);
    expect(await kinds()).toEqual([]);
    await poll(database, {
      time: '08:00:00',
      declarations: [store('lake', 'ip'), store('lake', 'tap'), store('crm', 'ip')],
    });
    expect(await kinds()).toEqual([
      ['declared-not-seen', 'lake', 'email'],
      ['seen-not-declared', 'lake', 'tap'],
    ]);
    const { stores } = await open(database).map({ service: 'lake', data_type: 'ip' });
    expect(stores.map(({ source, evidence }) => [source, evidence])).toEqual(
      [
        [LIST, 'declared'],
        [PAGE, 'observed'],
      ].toSorted(),
    );
  });
});

describe('a map that shrinks', () => {
  const ten = Array.from({ length: 10 }, (_, index) => store('lake', `type_${index}`));

  it('is told once, in an event, the audit log and the gaps, until the edges are back', async () => {
    await using database = await createTestDatabase(migrations);
    await poll(database, { time: '08:00:00', declarations: ten });
    const { loss } = await poll(database, { time: '08:01:00', declarations: ten.slice(3) });
    expect(loss).toMatchObject({ lost: 3, edges: 10, sources: [PAGE] });
    expect(await poll(database, { time: '08:02:00', declarations: ten.slice(3) })).toMatchObject({
      ended: 0,
    });
    expect((await typesOf(database)).filter((type) => type === 'map.shrunk')).toHaveLength(1);
    const items = await listAudit(database.db, { organizationId, subject: PAGE, limit: 100 });
    expect(items.filter(({ action }) => action === 'map.shrunk')).toHaveLength(1);
    const shrunk = async () =>
      (await open(database).gaps()).filter(({ kind }) => kind === 'map-shrunk').map(({ message }) => message);
    expect(await shrunk()).toEqual([expect.stringContaining('lost 3 of its 10 flows and stores')]);
    expect((await shrunk())[0]).toContain(PAGE);
    expect((await shrunk())[0]).toContain(`habeas map --compare-to ${at('08:00:00')}`);
    await poll(database, { time: '08:03:00', declarations: ten });
    expect(await shrunk()).toEqual([]);
  });

  it('is not told for a little, nor for what another source still says, nor for a broken reading', async () => {
    await using database = await createTestDatabase(migrations);
    await poll(database, { time: '08:00:00', declarations: ten });
    await poll(database, { time: '08:00:00', source: OTHER, declarations: ten.slice(0, 5) });
    await poll(database, { time: '08:01:00', source: OTHER, declarations: [] });
    await poll(database, { time: '08:01:00', declarations: ten.slice(2) });
    await poll(database, { time: '08:02:00', declarations: [], complete: false });
    expect(await typesOf(database)).not.toContain('map.shrunk');
    await poll(database, { time: '08:03:00', declarations: ten.slice(3), lossPercent: 10 });
    expect(await typesOf(database)).toContain('map.shrunk');
  });

  it('adds up what several sources lose between two polls', async () => {
    await using database = await createTestDatabase(migrations);
    const [one, two] = [ten.slice(0, 5), ten.slice(5)];
    await poll(database, { time: '08:00:00', declarations: one });
    await poll(database, { time: '08:00:01', source: OTHER, declarations: two });
    await poll(database, { time: '08:01:00', declarations: one.slice(2) });
    expect(await typesOf(database)).not.toContain('map.shrunk');
    const { loss } = await poll(database, { time: '08:01:01', source: OTHER, declarations: two.slice(2) });
    expect(loss).toMatchObject({ lost: 4, edges: 10, sources: [PAGE, OTHER] });
  });
});

describe('bad input', () => {
  it('does not end anything, and names the source, when a clock jumps back; and goes on from there', async () => {
    await using database = await createTestDatabase(migrations);
    const both = [store('lake', 'ip'), store('lake', 'tap')];
    await poll(database, { time: '10:00:00', declarations: both });
    const back = await poll(database, { time: '08:00:00', declarations: both.slice(1) });
    expect(back).toMatchObject({ started: 0, ended: 0, clockProblem: expect.stringContaining(PAGE) });
    expect(back.clockProblem).toContain('120 minutes ahead');
    expect((await open(database).gaps()).map(({ kind, message }) => [kind, message])).toContainEqual([
      'source-failing',
      back.clockProblem,
    ]);
    expect(await intervalsOf(database)).toEqual(['lake ip 10:00–', 'lake tap 10:00–']);
    expect(await poll(database, { time: '08:01:00', declarations: both.slice(1) })).toMatchObject({
      ended: 1,
    });
    expect(await poll(database, { time: '08:02:00', declarations: both })).toMatchObject({ started: 1 });
    expect((await open(database).map()).stores.map(({ data_type: type }) => type)).toEqual(['ip', 'tap']);
    const then = await open(database).map({ as_of: at('10:00:00') });
    expect(then.stores.map(({ data_type: type }) => type)).toEqual(['ip', 'tap']);
  });

  it('of two servers that poll one source makes no interval twice, and older news ends nothing', async () => {
    await using database = await createTestDatabase(migrations);
    const [ip, tap] = [store('lake', 'ip'), store('lake', 'tap')];
    await Promise.all(
      ['08:00:00', '08:00:01', '08:00:02', '08:00:03'].map((time) =>
        poll(database, { time, declarations: [ip, tap] }),
      ),
    );
    expect((await intervalsOf(database)).map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual([
      'lake ip',
      'lake tap',
    ]);
    await poll(database, { time: '08:01:00', declarations: [ip, tap] });
    expect(await poll(database, { time: '08:00:59', declarations: [] })).toMatchObject({
      started: 0,
      ended: 0,
    });
    expect((await open(database).map()).stores).toHaveLength(2);
  });

  it('of two servers shows each what the other stored at once', async () => {
    await using database = await createTestDatabase(migrations);
    const [one, other] = [open(database), open(database)];
    const types = async (answers: typeof one) => (await answers.map()).stores.map((entry) => entry.data_type);
    await poll(database, { time: '08:00:00', declarations: [store('lake', 'ip')] });
    expect([await types(one), await types(other)]).toEqual([['ip'], ['ip']]);
    await poll(database, { time: '08:01:00', declarations: [store('lake', 'tap')] });
    expect([await types(one), await types(other)]).toEqual([['tap'], ['tap']]);
    await sql`update map_declarations set first_seen = ${at('07:00:00')} where last_seen is null`.execute(
      database.db,
    );
    expect((await other.map()).stores).toMatchObject([
      { first_seen: at('07:00:00'), last_seen: at('08:01:00') },
    ]);
    await poll(database, { time: '08:02:00', declarations: [store('lake', 'tap')] });
    expect((await one.map()).stores).toMatchObject([
      { first_seen: at('07:00:00'), last_seen: at('08:02:00') },
    ]);
  });

  it('that two teams claim one service is told, and both are called', async () => {
    await using database = await createTestDatabase(migrations);
    await poll(database, {
      time: '08:00:00',
      declarations: [store('lake', 'ip'), { ...store('lake', 'ip'), team: 'web' }],
    });
    const answers = open(database);
    expect((await answers.map()).counts).toMatchObject({ services: 1, teams: 2, stores: 1 });
    expect((await answers.gaps()).map(({ kind }) => kind)).toContain('duplicate-service');
    expect((await answers.impact({ service: 'lake' })).call.map(({ team }) => team)).toEqual(['data', 'web']);
  });

  it('of words that programs stumble over is data like any other', async () => {
    await using database = await createTestDatabase(migrations);
    await poll(database, {
      time: '08:00:00',
      declarations: [transmit('constructor', '__proto__', 'toString'), store('__proto__', 'toString')],
    });
    const answers = open(database);
    const reached = await answers.reach('downstream', { service: 'constructor', data_type: 'toString' });
    expect(reached.reached).toMatchObject([{ service: '__proto__', hops: 1, category: null }]);
    expect((await answers.impact({ service: '__proto__' })).upstream).toMatchObject([
      { service: 'constructor' },
    ]);
  });
});

describe('the statement for another moment', () => {
  it('finds ended intervals in the index over ranges alone', async () => {
    await using database = await createTestDatabase(migrations);
    await poll(database, { time: '08:00:00', declarations: [store('lake', 'ip')] });
    await sql`
      insert into map_declarations (organization_id, source, declaration, kind, team, service, data_type, first_seen, last_seen)
      select ${organizationId}, ${PAGE}, md5(number::text), 'store', 'data', 'lake', 'ip',
        timestamptz '2026-01-01' + make_interval(mins => number), timestamptz '2026-01-01' + make_interval(mins => number + 1)
      from generate_series(1, 20000) as number`.execute(database.db);
    await sql`vacuum analyze map_declarations`.execute(database.db);
    const plan = await database.db.transaction().execute(async (transaction) => {
      // With so few rows the table itself is cheap too.
      await sql`set local enable_bitmapscan = off`.execute(transaction);
      const { rows } = await sql<{ 'QUERY PLAN': string }>`
        explain select number, first_seen, last_seen from map_declarations
        where organization_id = ${organizationId} and last_seen is not null
          and tstzrange(first_seen, last_seen, '[]') @> '2026-01-05T00:00:00Z'::timestamptz`.execute(
        transaction,
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    expect(plan).toContain('Index Only Scan using map_declarations_ended');
  });
});
