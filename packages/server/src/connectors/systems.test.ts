import { describe, expect, it } from 'vitest';
import { createLogger, fixedClock } from '../foundation/index.ts';
import type { ApprovedClient, System } from '../map/index.ts';
import {
  type ClientConnector,
  type ClientDescription,
  type ConfiguredConnection,
  createSystems,
} from './systems.ts';

const accountsClient: ApprovedClient = {
  id: 'cli_1',
  team: 'identity',
  address: '10.0.0.1:1337',
  protocol: 'grpc',
  service: undefined,
  stale: false,
};

function service(name: string, answeredBy: System['answeredBy'], more: Partial<System> = {}): System {
  return { key: name, service: name, team: 'identity', dataTypes: ['email'], answeredBy, ...more };
}

function start(
  found: readonly System[],
  describe: () => Promise<ClientDescription>,
  connections: readonly ConfiguredConnection[] = [],
) {
  const opened: string[] = [];
  const closed: string[] = [];
  const clock = fixedClock('2026-01-01T00:00:00Z');
  const world = { found };
  const systems = createSystems({
    map: { systems: async () => world.found, gaps: async () => [] },
    connections,
    openClient: (client, audience): ClientConnector => {
      opened.push(`${audience} at ${client.address}`);
      return {
        capabilities: new Set(),
        describe,
        check: async () => ({ ok: true, message: '', problems: [] }),
        async *collect() {
          yield { state: 'pending', operation: 'o', retryAfterSeconds: 1 };
        },
        erase: async () => ({ state: 'pending', operation: 'o', retryAfterSeconds: 1 }),
        verify: async () => ({ remaining: {}, retained: [] }),
        close: async () => {
          closed.push(`${audience} at ${client.address}`);
        },
      };
    },
    clientConcurrency: 3,
    clock,
    logger: createLogger({ level: 'silent' }),
  });
  return { systems, opened, closed, clock, world };
}

const described: ClientDescription = {
  capabilities: ['collect', 'erase'],
  needs: ['email'],
  resolves: ['user_id'],
  dataCategories: [],
};

describe('systems', () => {
  it('asks one client of a team once, however many services it answers for', async () => {
    const client = { kind: 'client' as const, client: accountsClient };
    const { systems, opened } = start(
      [service('accounts', client), service('profiles', client)],
      async () => described,
    );
    expect((await systems.plannable()).map((system) => [system.key, system.by])).toEqual([
      ['team:identity', 'client'],
    ]);
    expect(opened).toEqual(['identity at 10.0.0.1:1337']);
  });

  it('names a service in tokens by its own name, also where two teams claim it', async () => {
    const claimed = service('lake', { kind: 'client', client: accountsClient }, { key: 'lake@identity' });
    const { systems, opened } = start([claimed], async () => described);
    await systems.connector('lake@identity', undefined);
    expect(opened).toEqual(['lake at 10.0.0.1:1337']);
  });

  it('plans with the last description of a service that does not answer, and says so when there is none', async () => {
    let answers = false;
    const world = start([service('accounts', { kind: 'client', client: accountsClient })], async () => {
      if (!answers) throw new Error('no answer');
      return described;
    });
    expect((await world.systems.plannable())[0]).toMatchObject({
      needs: [],
      resolves: [],
      undescribed: true,
      capabilities: new Set(['resolve', 'collect', 'erase', 'verify']),
      remark: expect.stringContaining('did not answer'),
    });
    answers = true;
    expect((await world.systems.plannable())[0]).toMatchObject({ needs: ['email'], resolves: ['user_id'] });
    answers = false;
    world.clock.advance(120_000);
    expect((await world.systems.plannable())[0]).toMatchObject({ needs: ['email'] });
  });

  it('goes on with the service that a plan meant, although a connection took its name since', async () => {
    const connection: ConfiguredConnection = {
      config: {
        key: 'accounts',
        kind: 'postgres',
        team: 'identity',
        url: 'postgres://nowhere.invalid/accounts',
        datasets: ['accounts.yaml'],
        concurrency: 1,
      },
      capabilities: new Set(),
      datasets: [],
      needs: [],
      resolves: [],
      repeats: [],
      foundThrough: new Set(),
      madeFrom: new Set(),
      coverage: () => ({ collections: [], unreachable: [], identitiesNeeded: [], identitiesResolved: [] }),
      changeCoverage: () => ({ collections: [], kept: [], byHand: [], remarks: [] }),
      inputs: { hash: 'hash', content: 'content' },
      under: () => connection,
      open: (content) => {
        throw new Error(`opened with ${content}`);
      },
    };
    const found = [service('accounts', { kind: 'client', client: accountsClient })];
    const { systems, opened } = start(found, async () => described, [connection]);
    expect((await systems.plannable()).map(({ key }) => key)).toEqual(['accounts', 'client:accounts']);
    await systems.connector('accounts', null);
    await systems.connector('client:accounts', null);
    expect(new Set(opened)).toEqual(new Set(['accounts at 10.0.0.1:1337']));
    await expect(systems.connector('accounts', undefined)).rejects.toThrow('opened with content');
    await expect(systems.connector('accounts', 'frozen')).rejects.toThrow('opened with frozen');
  });

  it('closes what nobody asked for in a day, and only that', async () => {
    const other = { ...accountsClient, id: 'cli_2', address: '10.0.0.2:1337' };
    const third = { ...accountsClient, id: 'cli_3', address: '10.0.0.3:1337' };
    const at = (key: string, client: ApprovedClient) => service(key, { kind: 'client', client });
    const { systems, opened, closed, clock } = start(
      [at('accounts', accountsClient), at('orders', other), at('lake', third)],
      async () => described,
    );
    await systems.connector('accounts', undefined);
    await systems.connector('orders', undefined);
    clock.advance(23 * 3_600_000);
    await systems.connector('orders', undefined);
    clock.advance(3_600_000);
    await systems.connector('lake', undefined);
    expect(closed).toEqual(['accounts at 10.0.0.1:1337']);
    await systems.connector('orders', undefined);
    expect(opened).toHaveLength(3);
    await systems.connector('accounts', undefined);
    expect(opened).toHaveLength(4);
    await systems.close();
    expect(closed).toHaveLength(4);
  });

  it('refuses a system whose client is not approved any more', async () => {
    const world = start(
      [service('accounts', { kind: 'client', client: accountsClient })],
      async () => described,
    );
    await world.systems.connector('accounts', undefined);
    world.world.found = [service('accounts', { kind: 'ticket', reason: 'client-not-approved' })];
    await expect(world.systems.connector('accounts', undefined)).rejects.toMatchObject({
      code: 'ADDRESS_NOT_APPROVED',
    });
    expect((await world.systems.plannable())[0]).toMatchObject({
      by: 'ticket',
      remark: expect.stringContaining('not approved yet'),
    });
  });
});
