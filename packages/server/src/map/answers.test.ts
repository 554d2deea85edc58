import { api } from '@habeas/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answersOf } from './answers.ts';
import type { ConnectedService } from './claims.ts';
import { createDeclarationCache } from './declaration-cache.ts';
import { declarationKey } from './declaration-key.ts';
import type { Filter } from './filter.ts';
import type { KnownClient } from './known-client.ts';
import { knownDeclaration } from './known-declaration.ts';
import { partView } from './map-answer.ts';
import type { SeenDeclaration, SourceStatus } from './seen-declaration.ts';
import type { MapSnapshot } from './snapshot.ts';

const at = new Date('2026-11-21T08:00:00Z');
const later = new Date('2026-11-21T09:00:00Z');
const page = 'http://a.example/metrics';

function seen(
  declaration: SeenDeclaration['declaration'],
  change: Partial<SeenDeclaration> = {},
): SeenDeclaration {
  const known = knownDeclaration(declarationKey(declaration), declaration);
  return {
    known,
    declaration,
    source: page,
    evidence: 'observed',
    firstSeen: at.getTime(),
    lastSeen: later.getTime(),
    ...change,
  };
}

function store(team: string, service: string, dataType: string, change: Partial<SeenDeclaration> = {}) {
  return seen({ kind: 'store', team, service, dataType }, change);
}

function transmit(team: string, service: string, toService: string, dataType: string) {
  return seen({ kind: 'transmit', team, service, toService, dataType });
}

function client(change: Partial<KnownClient> & Pick<KnownClient, 'id' | 'team'>): KnownClient {
  return {
    service: undefined,
    address: 'pd:1',
    protocol: 'grpc',
    state: 'approved',
    decidedBy: 'key:key_1',
    reason: null,
    firstSeen: at,
    lastSeen: later,
    stale: false,
    ...change,
  };
}

function source(change: Partial<SourceStatus> = {}): SourceStatus {
  return {
    source: page,
    kind: 'scrape',
    version: 0,
    state: 'ok',
    completeAt: later,
    error: null,
    warnings: [],
    configured: true,
    ...change,
  };
}

/** As they come from the database. */
function sorted(declarations: readonly SeenDeclaration[]): readonly SeenDeclaration[] {
  const numbered = declarations.map(({ known, source }, number) => ({ number, known, source }));
  return [...createDeclarationCache().order(numbered)].flatMap((index) => declarations[index] ?? []);
}

const stamp = { at: at.toISOString(), as_of: at.toISOString(), filter: {} };

function ask(
  snapshot: Partial<MapSnapshot>,
  options: {
    connections?: readonly ConnectedService[];
    categories?: Readonly<Record<string, string>>;
    external?: readonly string[];
  } = {},
) {
  const full = { declarations: [], clients: [], sources: [source()], ...snapshot };
  const categories = new Map(Object.entries(options.categories ?? {}));
  const declarations = sorted(full.declarations);
  const answers = answersOf(
    { ...full, declarations },
    {
      connections: options.connections ?? [],
      categoryOf: (dataType) => categories.get(dataType),
      external: new Set(options.external),
    },
  );
  return { ...answers, map: (filter: Filter) => partView(answers.part(filter), answers.context) };
}

describe('systems', () => {
  const declarations = [
    store('data', 'bigtable', 'ip'),
    store('data', 'bigtable', 'name'),
    store('data', 'lake', 'ip'),
  ];

  const answeredBy = (clients: readonly KnownClient[], connections: readonly ConnectedService[] = []) =>
    Object.fromEntries(
      ask({ declarations, clients }, { connections })
        .systems()
        .map(({ service, answeredBy: by }) => [service, by.kind === 'client' ? by.client.id : by.kind]),
    );

  it('are the services that store something, each with its team and types', () => {
    expect(ask({ declarations: [...declarations, transmit('web', 'shop', 'lake', 'ip')] }).systems()).toEqual(
      [
        {
          key: 'bigtable',
          service: 'bigtable',
          team: 'data',
          dataTypes: ['ip', 'name'],
          answeredBy: { kind: 'ticket', reason: 'no-client' },
        },
        {
          key: 'lake',
          service: 'lake',
          team: 'data',
          dataTypes: ['ip'],
          answeredBy: { kind: 'ticket', reason: 'no-client' },
        },
      ],
    );
  });

  it('are answered for by the client that names the service, else by one for the whole team', () => {
    const whole = client({ id: 'cli_team', team: 'data' });
    const own = client({ id: 'cli_lake', team: 'data', service: 'lake' });
    expect(answeredBy([whole, own])).toEqual({ bigtable: 'cli_team', lake: 'cli_lake' });
    expect(answeredBy([own])).toEqual({ bigtable: 'ticket', lake: 'cli_lake' });
    expect(answeredBy([client({ id: 'cli_x', team: 'other' })])).toEqual({
      bigtable: 'ticket',
      lake: 'ticket',
    });
    const foreign = client({ id: 'cli_x', team: 'other', service: 'lake' });
    expect(answeredBy([foreign])).toEqual({ bigtable: 'ticket', lake: 'ticket' });
  });

  it('that are connected need no client, and a client that names the service comes first all the same', () => {
    const whole = client({ id: 'cli_team', team: 'data' });
    const own = client({ id: 'cli_lake', team: 'data', service: 'lake' });
    const connections = [{ service: 'lake', team: 'data' }];
    expect(answeredBy([], connections)).toEqual({ bigtable: 'ticket', lake: 'connection' });
    expect(answeredBy([whole], connections)).toEqual({ bigtable: 'cli_team', lake: 'connection' });
    expect(answeredBy([whole, own], connections)).toEqual({ bigtable: 'cli_team', lake: 'cli_lake' });
  });

  it('go to a ticket while the client is not approved, and when it was rejected', () => {
    const reasons = (clients: readonly KnownClient[]) =>
      ask({ declarations: [store('data', 'lake', 'ip')], clients })
        .systems()
        .map((system) => system.answeredBy);
    const proposed = client({ id: 'cli_1', team: 'data', state: 'proposed', decidedBy: null });
    expect(reasons([proposed])).toEqual([{ kind: 'ticket', reason: 'client-not-approved' }]);
    expect(reasons([client({ ...proposed, state: 'rejected' })])).toEqual([
      { kind: 'ticket', reason: 'no-client' },
    ]);
    expect(reasons([client({ ...proposed, stale: true })])).toEqual([
      { kind: 'ticket', reason: 'no-client' },
    ]);
  });

  it('are never answered for by an address that is not approved, whatever clients there are', () => {
    const anyClient = fc.record({
      team: fc.constantFrom('data', 'web'),
      service: fc.constantFrom(undefined, 'lake', 'bigtable'),
      state: fc.constantFrom('proposed', 'approved', 'rejected'),
      stale: fc.boolean(),
      firstSeen: fc.constantFrom(at, later),
    });
    fc.assert(
      fc.property(fc.array(anyClient), fc.boolean(), (some, connected) => {
        const clients = some.map((one, index) => client({ ...one, id: `cli_${index}` }));
        const connections = connected ? [{ service: 'lake', team: 'data' }] : [];
        for (const { service, team, answeredBy: by } of ask(
          { declarations, clients },
          { connections },
        ).systems()) {
          const usable = clients.filter(
            (one) => one.state === 'approved' && one.team === team && (one.service ?? service) === service,
          );
          if (by.kind === 'client') {
            expect(usable.map((one) => one.id)).toContain(by.client.id);
            // A client that vanished is used only if there is no other of its kind.
            const same = usable.filter((one) => one.service === by.client.service);
            expect(by.client.stale).toBe(same.every((one) => one.stale));
          } else if (by.kind === 'ticket') expect(usable).toEqual([]);
          else expect(usable.filter((one) => one.service !== undefined)).toEqual([]);
        }
      }),
    );
  });

  it('take the newest of several approved clients that are still declared', () => {
    const old = client({ id: 'cli_1', team: 'data' });
    const moved = client({ id: 'cli_2', team: 'data', address: 'pd:2', firstSeen: later });
    expect(answeredBy([old, moved])).toEqual({ bigtable: 'cli_2', lake: 'cli_2' });
    expect(answeredBy([old, { ...moved, stale: true }])).toEqual({ bigtable: 'cli_1', lake: 'cli_1' });
    expect(answeredBy([{ ...old, stale: true }])).toEqual({ bigtable: 'cli_1', lake: 'cli_1' });
  });

  it('with one name and two teams are two systems, each answered for by its own team', () => {
    const both = [store('evil', 'lake', 'ip', { firstSeen: later.getTime() }), store('data', 'lake', 'ip')];
    const clients = [client({ id: 'cli_data', team: 'data' }), client({ id: 'cli_evil', team: 'evil' })];
    const answers = ask({ declarations: both, clients });
    expect(
      answers
        .systems()
        .map(({ key, team, answeredBy: by }) => [key, team, by.kind === 'client' && by.client.id]),
    ).toEqual([
      ['lake', 'data', 'cli_data'],
      ['lake@evil', 'evil', 'cli_evil'],
    ]);
    expect(answers.gaps().filter((gap) => gap.kind === 'duplicate-service')).toMatchObject([
      { service: 'lake' },
    ]);
  });
});

describe('services', () => {
  it('say how a request reaches them', () => {
    const declarations = [
      store('data', 'lake', 'ip'),
      store('shop', 'orders', 'name'),
      store('growth', 'mailer', 'email'),
      transmit('web', 'front', 'lake', 'ip'),
      transmit('web', 'front', 'adnet', 'ip'),
    ];
    const clients = [client({ id: 'cli_1', team: 'data' })];
    const connections = [
      { service: 'orders', team: 'shop' },
      { service: 'archive', team: 'shop' },
    ];
    const services = ask({ declarations, clients }, { connections }).services();
    expect(services.map((one) => [one.name, one.team, one.stores, one.answered_by])).toEqual([
      ['adnet', null, [], 'nobody'],
      ['archive', 'shop', [], 'connection'],
      ['front', 'web', [], 'ticket'],
      ['lake', 'data', ['ip'], 'client'],
      ['mailer', 'growth', ['email'], 'ticket'],
      ['orders', 'shop', ['name'], 'connection'],
    ]);
    expect(services[1]).toMatchObject({ first_seen: null, last_seen: null });
    expect(services[3]).toMatchObject({ first_seen: at.toISOString(), last_seen: later.toISOString() });
  });
});

describe('gaps', () => {
  const kinds = (answers: ReturnType<typeof ask>) =>
    answers.gaps().map((gap) => [gap.kind, gap.service, gap.team, gap.data_type]);

  it('are none where everything is declared, answered for and read', () => {
    const answers = ask(
      { declarations: [store('data', 'lake', 'ip')], clients: [client({ id: 'cli_1', team: 'data' })] },
      { categories: { ip: 'user.device.ip_address' } },
    );
    expect(answers.gaps()).toEqual([]);
  });

  it('name a receiver that nobody declared, and not one that is connected', () => {
    const declarations = [transmit('web', 'front', 'adnet', 'ip'), transmit('web', 'front', 'orders', 'ip')];
    const connections = [{ service: 'orders', team: 'shop' }];
    const answers = ask({ declarations }, { connections, categories: { ip: 'user.device.ip_address' } });
    expect(kinds(answers)).toEqual([['undeclared-receiver', 'adnet', null, null]]);
    expect(answers.gaps()[0]?.message).toContain('front sends personal data to adnet');
  });

  it('name stores that nothing answers for, their teams, and data types without a category', () => {
    expect(kinds(ask({ declarations: [store('data', 'lake', 'ip')] }))).toEqual([
      ['store-without-eraser', 'lake', 'data', null],
      ['team-without-client', null, 'data', null],
      ['data-type-without-category', null, null, 'ip'],
    ]);
  });

  it('name a client that waits for approval, instead of its team', () => {
    const clients = [client({ id: 'cli_1', team: 'data', state: 'proposed' })];
    const declarations = [store('data', 'lake', 'ip')];
    expect(kinds(ask({ declarations, clients }, { categories: { ip: 'user.device' } }))).toEqual([
      ['store-without-eraser', 'lake', 'data', null],
      ['client-not-approved', null, 'data', null],
    ]);
  });

  it('tell when a connection and a declaration disagree about whose a service is', () => {
    const declarations = [store('data', 'orders', 'ip')];
    const answers = ask({ declarations }, { connections: [{ service: 'orders', team: 'shop' }] });
    expect(kinds(answers)).toContainEqual(['duplicate-service', 'orders', null, null]);
    expect(answers.gaps()[0]?.message).toContain('Teams shop, data each say');
    expect(answers.systems()).toMatchObject([{ key: 'orders@data', answeredBy: { kind: 'ticket' } }]);
  });

  it('name failing sources, broken lines and refused labels', () => {
    const failing = source({
      source: 'http://b.example/metrics',
      state: 'failing',
      error: 'It answered with status 503.',
    });
    const partial = source({
      state: 'partial',
      warnings: [
        { kind: 'broken', service: null, team: null, message: 'Line 3 cannot be read.' },
        { kind: 'rejected', service: 'lake', team: 'data', message: 'Label x was refused.' },
      ],
    });
    const gaps = ask({ sources: [partial, failing] }).gaps();
    expect(gaps.map((gap) => [gap.kind, gap.service, gap.message])).toEqual([
      ['source-failing', null, 'Line 3 cannot be read.'],
      [
        'source-failing',
        null,
        'It answered with status 503. It was last read completely at 2026-11-21T09:00:00.000Z; what it said then still counts.',
      ],
      ['rejected-label', 'lake', `Label x was refused. (${page})`],
    ]);
  });

  it('name a source that left the configuration while only it knows of some data', () => {
    const old = source({ source: 'http://old.example/metrics', configured: false });
    const alone = [store('data', 'lake', 'ip', { source: old.source })];
    const clients = [client({ id: 'cli_1', team: 'data' })];
    const categories = { ip: 'user.device.ip_address' };
    const gaps = ask({ declarations: alone, clients, sources: [old] }, { categories }).gaps();
    expect(gaps).toMatchObject([{ kind: 'source-failing' }]);
    expect(gaps[0]?.message).toContain('only there lake said what it stores');
    const told = [...alone, store('data', 'lake', 'ip')];
    const moved = ask({ declarations: told, clients, sources: [old, source()] }, { categories });
    expect(moved.gaps()).toEqual([]);
    expect(moved.map({}).stores.map((entry) => entry.source)).toEqual([page]);
  });

  it('name only the newest of several sources that left the configuration and said the same', () => {
    const older = source({ source: 'http://1.example/metrics', configured: false });
    const newer = source({ source: 'http://0.example/metrics', configured: false });
    const declarations = [
      store('data', 'lake', 'ip', { source: older.source, lastSeen: at.getTime() }),
      store('data', 'lake', 'ip', { source: newer.source }),
    ];
    const answers = ask({ declarations, sources: [newer, older] });
    expect(answers.map({}).stores.map((entry) => entry.source)).toEqual([newer.source]);
    expect(answers.gaps().filter((gap) => gap.kind === 'source-failing')).toHaveLength(1);
  });
});

describe('map and holders', () => {
  const declarations = [
    store('data', 'lake', 'ip'),
    store('growth', 'mailer', 'email'),
    store('data', 'lake', 'ip', { source: 'http://b.example/metrics' }),
    transmit('web', 'front', 'lake', 'ip'),
    transmit('data', 'lake', 'mailer', 'email'),
    transmit('data', 'lake', 'lake', 'ip'),
    transmit('web', 'front', 'adnet', 'name'),
  ];
  const sources = [source(), source({ source: 'http://b.example/metrics' })];
  const answers = ask({ declarations, sources }, { categories: { ip: 'user.device.ip_address' } });
  const names = (query: Parameters<typeof answers.map>[0]) =>
    answers.map(query).services.map((service) => service.name);

  it('say who holds a data type and who moves it, each once', () => {
    expect(answers.holders('ip')).toEqual({
      data_type: 'ip',
      holders: [{ service: 'lake', team: 'data' }],
      movers: [
        { from: 'front', to: 'lake' },
        { from: 'lake', to: 'lake' },
      ],
    });
    expect(answers.holders('shoe size')).toEqual({ data_type: 'shoe size', holders: [], movers: [] });
  });

  it('show everything, or one service, team or type with its neighbours', () => {
    expect(names({})).toEqual(['adnet', 'front', 'lake', 'mailer']);
    expect(names({ service: 'mailer' })).toEqual(['lake', 'mailer']);
    expect(names({ team: 'web' })).toEqual(['adnet', 'front', 'lake']);
    expect(names({ data_type: 'email' })).toEqual(['lake', 'mailer']);
    expect(names({ data_type: 'name', team: 'web' })).toEqual(['adnet', 'front']);
    expect(names({ service: 'nobody' })).toEqual([]);
    const one = answers.map({ service: 'mailer' });
    expect(one.flows.map((flow) => [flow.from, flow.to, flow.data_type])).toEqual([
      ['lake', 'mailer', 'email'],
    ]);
    expect(one.stores.map((entry) => entry.service)).toEqual(['mailer']);
    expect(one.gaps.map((gap) => gap.kind)).toEqual(['store-without-eraser']);
  });

  it('give the category, the times and the source of each flow and store', () => {
    const { flows, stores } = answers.map({ data_type: 'ip' });
    const shared = {
      data_type: 'ip',
      category: 'user.device.ip_address',
      evidence: 'observed',
      purpose: null,
      subject: null,
      retention: null,
      region: null,
      first_seen: at.toISOString(),
      last_seen: later.toISOString(),
    };
    expect(flows[0]).toEqual({
      from: 'front',
      to: 'lake',
      source: page,
      external: false,
      ...shared,
      team: 'web',
    });
    expect(stores).toEqual([
      { service: 'lake', team: 'data', source: page, ...shared },
      { service: 'lake', team: 'data', source: 'http://b.example/metrics', ...shared },
    ]);
  });

  function partsOf(declaration: SeenDeclaration['declaration']) {
    if (declaration.kind === 'transmit') {
      return [declaration.service, declaration.toService, declaration.dataType];
    }
    return declaration.kind === 'store' ? [declaration.service, declaration.team, declaration.dataType] : [];
  }

  const label = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', '"x"', 'é');
  const declared = fc.oneof(
    fc.tuple(label, label, label).map(([team, service, type]) => store(team, service, type)),
    fc.tuple(label, label, label, label).map((parts) => transmit(...parts)),
  );
  const query = fc.record(
    { team: label, service: label, data_type: label },
    { requiredKeys: [], noNullPrototype: true },
  );

  it('fit the API for any declarations and query, and no arrow ends in nothing', () => {
    fc.assert(
      fc.property(fc.array(declared), query, (some, asked) => {
        const all = ask({ declarations: some });
        const view = all.map(asked);
        const whole = { ...stamp, ...view, changes: null, teams: all.teams(asked) };
        expect(api.mapSchema.parse(whole)).toEqual(whole);
        const shown = new Set(view.services.map((service) => service.name));
        for (const flow of view.flows) expect(shown.has(flow.from) && shown.has(flow.to)).toBe(true);
        for (const entry of view.stores) expect(shown.has(entry.service)).toBe(true);
        const keys = all.systems().map((system) => system.key);
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });

  it('do not depend on the order of the declarations', () => {
    fc.assert(
      fc.property(fc.array(declared), (some) => {
        const [one, other] = [some, some.toReversed()].map((list) => {
          const all = ask({ declarations: list });
          return [all.map({}), all.systems()];
        });
        expect(other).toEqual(one);
      }),
    );
  });

  it('lose nothing: every declaration is in the map, whichever sources are still in the configuration', () => {
    const pages = fc.constantFrom(page, 'http://b.example/metrics', 'http://c.example/metrics');
    const from = fc.tuple(declared, pages).map(([one, where]) => ({ ...one, source: where }));
    fc.assert(
      fc.property(fc.array(from), fc.array(pages), (some, configured) => {
        const names = new Set(some.map((one) => one.source));
        const sources = [...names].map((name) =>
          source({ source: name, configured: configured.includes(name) }),
        );
        const view = ask({ declarations: some, sources }).map({});
        const said = some.map(({ declaration }) => JSON.stringify(partsOf(declaration)));
        const shown = [
          ...view.flows.map((flow) => [flow.from, flow.to, flow.data_type]),
          ...view.stores.map((entry) => [entry.service, entry.team, entry.data_type]),
        ];
        expect(new Set(shown.map((parts) => JSON.stringify(parts)))).toEqual(new Set(said));
      }),
    );
  });
});
