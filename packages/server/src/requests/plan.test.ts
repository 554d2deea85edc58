import { api } from '@habeas/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capability, PlannableSystem } from '../connectors/index.ts';
import { type Plan, type PlanInput, plan } from './plan.ts';
import { IDENTITIES_GATE, KEYS_GATE } from './plans/planned-task.ts';

const types = ['email', 'user_id', 'phone_number', 'device_id', 'loyalty_card'];
const someTypes = fc.uniqueArray(fc.constantFrom(...types), { maxLength: 3 });
const capabilities = fc
  .uniqueArray(
    fc.constantFrom<Capability>(
      ...([
        'resolve',
        'collect',
        'portability',
        'locate',
        'erase',
        'rectify',
        'restrict',
        'object',
        'verify',
      ] as const),
    ),
  )
  .map((list): ReadonlySet<Capability> => new Set(list));

const systems = fc.uniqueArray(
  fc.record({
    key: fc.stringMatching(/^[a-z]{1,6}$/),
    team: fc.constantFrom('red', 'blue'),
    by: fc.constantFrom<PlannableSystem['by']>('connection', 'client', 'ticket'),
    capabilities,
    needs: someTypes,
    resolves: someTypes,
    dataTypes: fc.constant([]),
  }),
  { selector: (system) => system.key, maxLength: 12 },
);
const inputs = fc.record({
  right: fc.constantFrom(...api.rightSchema.options),
  targets: fc.constant(['user.name']),
  purposes: fc.constant(['marketing']),
  lift: fc.boolean(),
  dryRun: fc.boolean(),
  identityTypes: fc.uniqueArray(fc.constantFrom(...types), { minLength: 1, maxLength: 2 }),
  systems,
  policyVersion: fc.constant('v1'),
});

/** Everything that a task waits for, directly or not. Throws on a cycle or an unknown name. */
function ancestors(made: Plan): Map<string, Set<string>> {
  const tasks = new Map(made.tasks.map((task) => [task.key, task]));
  const known = new Map<string, Set<string>>();
  const visit = (key: string, path: readonly string[]): Set<string> => {
    if (path.includes(key)) throw new Error(`a cycle: ${[...path, key].join(' → ')}`);
    const before = known.get(key);
    if (before !== undefined) return before;
    const task = tasks.get(key);
    if (task === undefined) throw new Error(`no task ${key}`);
    const all = new Set(
      task.depends_on.flatMap((dependency) => [dependency, ...visit(dependency, [...path, key])]),
    );
    known.set(key, all);
    return all;
  };
  for (const key of tasks.keys()) visit(key, []);
  return known;
}

const ACTING: ReadonlySet<string> = new Set(['collect', 'erase', 'rectify', 'restrict', 'object']);

function systemOf(key: string): string {
  return key.slice(key.indexOf(':') + 1);
}

describe('plan', () => {
  it('tells an objection to a service that knows consent and nothing else, and reads it again', () => {
    const consent: PlannableSystem = {
      key: 'consent',
      team: 'privacy',
      by: 'client',
      capabilities: new Set(['object']),
      needs: ['email'],
      resolves: [],
      dataTypes: ['consent'],
      dataCategories: ['user.behavior'],
    };
    for (const right of ['objection', 'opt_out_of_sale', 'limit_sensitive_data'] as const) {
      const purposes = right === 'objection' ? ['marketing'] : [];
      const ask = { right, purposes, dryRun: false, identityTypes: ['email'], policyVersion: 'v1' };
      const made = plan({ ...ask, systems: [consent] });
      expect(made.tasks.map(({ key }) => key)).toEqual(
        expect.arrayContaining(['register', 'object:consent', 'verify:consent']),
      );
      expect(made.gaps).toEqual([]);
    }
  });

  it('gives a team a ticket where the policy wants more than to erase, and its service holds such data', () => {
    const service = (key: string, dataCategories: readonly string[]): PlannableSystem => ({
      key,
      team: 'one',
      by: 'client',
      capabilities: new Set(['erase', 'verify']),
      needs: [],
      resolves: [],
      dataTypes: [],
      dataCategories,
    });
    const made = plan({
      right: 'erasure',
      dryRun: false,
      identityTypes: ['email'],
      policyVersion: 'v1',
      rules: [
        { category: 'user.contact', action: 'soft-delete', values: 'left' },
        { category: 'user.device', action: 'mask', mask: { strategy: 'hash' } },
        { category: 'user.financial', reason: 'tax', legalBasis: null, until: null },
      ],
      systems: [
        service('crm', ['user.contact.email', 'user.device.ip_address']),
        service('ledger', ['user.financial']),
        service('silent', []),
      ],
    });
    expect(made.tasks.find(({ key }) => key === 'ticket:crm')).toMatchObject({
      how: 'user.contact soft-deleted, its values left, user.device masked (hash)',
    });
    expect(made.gaps).toContainEqual(
      expect.objectContaining({ kind: 'erasure-not-supported', system: 'crm', ticket: true }),
    );
    expect(made.tasks.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['erase:ledger', 'erase:silent']),
    );
  });

  it('is a DAG whose names are unique and known', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const made = plan(input);
        expect(new Set(made.tasks.map((task) => task.key)).size).toBe(made.tasks.length);
        expect(() => ancestors(made)).not.toThrow();
      }),
    );
  });

  it('is the same, hash included, for the same systems in any order', () => {
    fc.assert(
      fc.property(inputs, fc.infiniteStream(fc.nat()), (input, random) => {
        const shuffled = input.systems
          .map((system) => ({ system, at: random.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at);
        expect(plan({ ...input, systems: shuffled.map(({ system }) => system) })).toEqual(plan(input));
      }),
    );
  });

  it('reaches every system exactly once, by a task or by a ticket that a gap explains', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const made = plan(input);
        for (const system of input.systems) {
          const acting = made.tasks.filter(
            (task) => task.system === system.key && (ACTING.has(task.kind) || task.kind === 'ticket'),
          );
          // A dry run of a rectification tries the values and does nothing more.
          const tried = made.tasks.filter((task) => task.key === `validate:${system.key}`);
          const isTried = input.right === 'rectification' && input.dryRun && tried.length === 1;
          expect(acting).toHaveLength(isTried ? 0 : 1);
          if (acting[0]?.kind === 'ticket')
            expect(made.gaps.some((gap) => gap.system === system.key && gap.ticket)).toBe(true);
        }
      }),
    );
  });

  it('destroys nothing before all identities and all keys are stored, and reads again after', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const made = plan({ ...input, right: 'erasure' });
        const waitsFor = ancestors(made);
        const before = made.tasks
          .filter((task) => task.kind === 'resolve' || task.kind === 'locate')
          .map((task) => task.key);
        for (const task of made.tasks.filter(
          (candidate) => candidate.kind === 'erase' || candidate.kind === 'ticket',
        )) {
          for (const key of [...before, IDENTITIES_GATE, KEYS_GATE])
            expect(waitsFor.get(task.key)).toContain(key);
        }
        for (const task of made.tasks.filter((candidate) => candidate.kind === 'verify')) {
          expect(waitsFor.get(task.key)).toContain(`erase:${task.system}`);
        }
        expect(made.tasks.some((task) => task.kind === 'verify') && input.dryRun).toBe(false);
      }),
    );
  });

  it('packs only after everything was collected', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const made = plan({ ...input, right: 'access', dryRun: false });
        const others = made.tasks.filter((task) => task.kind !== 'package').map((task) => task.key);
        expect([...(ancestors(made).get('package') ?? [])].sort()).toEqual(others.sort());
      }),
    );
  });

  it('asks a system for identities only once something that it needs is known', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const made = plan(input);
        const waitsFor = ancestors(made);
        const byKey = new Map(input.systems.map((system) => [system.key, system]));
        for (const task of made.tasks.filter((candidate) => candidate.kind === 'resolve')) {
          const system = byKey.get(task.system ?? '');
          const known = new Set([
            ...input.identityTypes,
            ...[...(waitsFor.get(task.key) ?? [])].flatMap((key) => byKey.get(systemOf(key))?.resolves ?? []),
          ]);
          expect(system?.needs.length === 0 || system?.needs.some((type) => known.has(type))).toBe(true);
        }
      }),
    );
  });

  it('asks a service that never said what it can for identities, before anything is destroyed', () => {
    const made = plan({
      right: 'erasure',
      dryRun: false,
      identityTypes: ['email'],
      policyVersion: 'v1',
      systems: [
        {
          key: 'accounts',
          team: 'identity',
          by: 'client',
          capabilities: new Set(['resolve', 'collect', 'erase', 'verify']),
          needs: [],
          resolves: [],
          undescribed: true,
          dataTypes: [],
        },
      ],
    });
    expect(made.tasks[0]).toMatchObject({ key: 'resolve:accounts', depends_on: [] });
    expect(ancestors(made).get('erase:accounts')).toContain('resolve:accounts');
  });

  it('asks every system at least once after all others that tell something it can use', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const made = plan(input);
        const waitsFor = ancestors(made);
        const byKey = new Map(input.systems.map((system) => [system.key, system]));
        const asked = made.tasks.filter((candidate) => candidate.kind === 'resolve');
        for (const [key, own] of Map.groupBy(asked, (task) => task.system ?? '')) {
          const last = own.at(-1)?.key ?? '';
          const feeders = asked.filter(
            ({ system }) =>
              system !== key &&
              byKey.get(system ?? '')?.resolves.some((type) => byKey.get(key)?.needs.includes(type)),
          );
          for (const feeder of feeders) expect(waitsFor.get(last)).toContain(`resolve:${feeder.system}`);
        }
      }),
    );
  });

  it('asks for identities whoever can be reached, and nobody else', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const known = new Set(input.identityTypes);
        const reached = new Set<string>();
        for (let before = -1; before < reached.size; ) {
          before = reached.size;
          for (const { key, by, capabilities: can, needs, resolves } of input.systems) {
            const asks = by !== 'ticket' && can.has('resolve') && resolves.length > 0;
            if (!asks || (needs.length > 0 && !needs.some((type) => known.has(type)))) continue;
            reached.add(key);
            for (const type of resolves) known.add(type);
          }
        }
        const asked = plan(input).tasks.filter(({ kind }) => kind === 'resolve');
        expect(new Set(asked.map(({ system }) => system))).toEqual(reached);
      }),
    );
  });

  it('asks nobody twice where no two systems tell each other something', () => {
    const chain = ['email', 'user_id', 'device_id', 'loyalty_card'];
    const made = plan({
      right: 'access',
      dryRun: false,
      identityTypes: ['email'],
      policyVersion: 'v1',
      systems: chain.slice(0, -1).map((type, index) => ({
        key: `s${index}`,
        team: 'one',
        by: 'client' as const,
        capabilities: new Set<Capability>(['resolve', 'collect']),
        needs: [type],
        resolves: [chain[index + 1] ?? ''],
        dataTypes: [],
      })),
    });
    expect(made.tasks.filter(({ kind }) => kind === 'resolve').map(({ key }) => key)).toEqual([
      'resolve:s0',
      'resolve:s1',
      'resolve:s2',
    ]);
    expect(ancestors(made).get('resolve:s2')).toContain('resolve:s1');
  });

  it('reads every system for the last time after everything was erased', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const made = plan({ ...input, right: 'erasure', dryRun: false });
        const waitsFor = ancestors(made);
        const erasing = made.tasks.filter(({ kind }) => kind === 'erase' || kind === 'ticket');
        const read = made.tasks.filter(({ key }) => key.startsWith('verify:'));
        for (const { system } of read) {
          const last = made.tasks.findLast((task) => task.kind === 'verify' && task.system === system);
          for (const { key } of erasing) expect(waitsFor.get(last?.key ?? '')).toContain(key);
        }
      }),
    );
  });

  it('changes no value before every new value fits everywhere, and reads each system after all were changed', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const made = plan({ ...input, right: 'rectification', dryRun: false });
        const waitsFor = ancestors(made);
        const validating = made.tasks.filter(({ kind }) => kind === 'validate').map(({ key }) => key);
        const changing = made.tasks.filter(({ kind }) => kind === 'rectify' || kind === 'ticket');
        for (const { key } of changing)
          for (const before of [...validating, KEYS_GATE]) expect(waitsFor.get(key)).toContain(before);
        for (const { system } of made.tasks.filter(({ kind }) => kind === 'rectify')) {
          const last = made.tasks.findLast((task) => task.kind === 'verify' && task.system === system);
          for (const { key } of changing) expect(waitsFor.get(last?.key ?? '')).toContain(key);
        }
      }),
    );
  });

  it('notes a restriction before any system is marked, and takes it back after the last one was', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const made = plan({ ...input, right: 'restriction', dryRun: false });
        const waitsFor = ancestors(made);
        const changing = made.tasks.filter(({ kind }) => ['restrict', 'ticket', 'verify'].includes(kind));
        expect(made.tasks.filter(({ kind }) => kind === 'register')).toHaveLength(1);
        for (const { key } of changing) {
          if (input.lift) expect(waitsFor.get('register')).toContain(key);
          else expect(waitsFor.get(key)).toContain('register');
        }
        const counted = plan({ ...input, right: 'restriction', dryRun: true });
        expect(counted.tasks.some(({ kind }) => kind === 'register' || kind === 'verify')).toBe(false);
      }),
    );
  });

  it('leaves out a service that says it holds nothing of what is corrected, and asks one that does not say', () => {
    const service = (key: string, dataCategories?: readonly string[]): PlannableSystem => ({
      key,
      team: 'one',
      by: 'client',
      capabilities: new Set(['rectify']),
      needs: [],
      resolves: [],
      dataTypes: [],
      ...(dataCategories === undefined ? {} : { dataCategories }),
    });
    const made = plan({
      right: 'rectification',
      dryRun: false,
      identityTypes: ['email'],
      targets: ['user.contact.email'],
      policyVersion: 'v1',
      systems: [
        service('above', ['user.contact']),
        service('below', ['user.contact.email']),
        service('beside', ['user.contact.phone_number']),
        service('silent'),
      ],
    });
    const changed = made.tasks.filter(({ kind }) => kind === 'rectify').map(({ system }) => system);
    expect(changed).toEqual(['above', 'below', 'silent']);
    expect(made.gaps).toMatchObject([{ kind: 'not-concerned', system: 'beside', ticket: false }]);
  });

  it.each(api.rightSchema.options)('has edges that grow with the systems and no faster: %s', (right) => {
    const many = (count: number): PlanInput => ({
      right,
      targets: ['user.name'],
      purposes: ['marketing'],
      dryRun: false,
      identityTypes: ['email'],
      policyVersion: 'v1',
      systems: Array.from({ length: count }, (_, index) => ({
        key: `system-${index}`,
        team: 'one',
        by: 'connection' as const,
        capabilities: new Set<Capability>([
          ...(['resolve', 'collect', 'locate', 'erase', 'rectify', 'restrict', 'object', 'verify'] as const),
        ]),
        needs: ['email', 'user_id'],
        resolves: ['email', 'user_id'],
        dataTypes: [],
      })),
    });
    const edges = (made: Plan) => made.tasks.reduce((sum, task) => sum + task.depends_on.length, 0);
    expect(edges(plan(many(1_000)))).toBeLessThan(15 * 1_000);
    expect(edges(plan(many(4_000)))).toBeLessThan(15 * 4_000);
  });

  it('says in words what is kept, with its reason and end, and which collections nobody reaches', () => {
    const made = plan({
      right: 'erasure',
      dryRun: false,
      identityTypes: ['email'],
      policyVersion: 'v1',
      systems: [
        {
          key: 'shop',
          team: 'shop',
          by: 'connection',
          capabilities: new Set(['collect', 'locate', 'erase', 'verify']),
          needs: ['email'],
          resolves: [],
          dataTypes: [],
          inputs: { hash: 'h1', content: '' },
          coverage: () => ({
            collections: [
              {
                collection: 'invoices',
                treatment: 'keep',
                treatments: ['keep'],
                fields: ['total'],
                categories: ['user.financial'],
                reason: 'tax law',
                legalBasis: '§ 147 AO',
                until: '7y after issued_at',
                kept: [
                  {
                    fields: ['total'],
                    categories: ['user.financial'],
                    reason: 'tax law',
                    legalBasis: '§ 147 AO',
                    until: '7y after issued_at',
                  },
                ],
                reachedBy: 'customers',
                shared: false,
              },
            ],
            unreachable: [{ collection: 'coupons', reason: 'no reference leads to it' }],
            identitiesNeeded: ['email'],
            identitiesResolved: [],
          }),
        },
      ],
    });
    expect(made.kept).toEqual([
      {
        system: 'shop',
        collection: 'invoices',
        fields: ['total'],
        reason: 'tax law',
        legal_basis: '§ 147 AO',
        until: '7y after issued_at',
      },
    ]);
    expect(made.gaps).toMatchObject([
      { kind: 'collection-unreachable', message: expect.stringContaining('shop.coupons') },
    ]);
    expect(made.inputs).toEqual({ shop: 'h1' });
  });
});
