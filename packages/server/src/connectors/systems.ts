import type { About, ChangeCoverage, ChangeOrder, Coverage, Dataset, KeepRule } from '../catalog/index.ts';
import { type Clock, type ConnectionConfig, HabeasError, type Logger } from '../foundation/index.ts';
import type { ApprovedClient, DataMap, System } from '../map/index.ts';
import { concurrencyOf } from './connection-kind.ts';
import type { Capability, Connector } from './connector.ts';
import { createOpenedConnectors } from './opened-connectors.ts';
import type { PlannableSystem } from './plannable-system.ts';

/** What a service says of itself, by its contract. */
export interface ClientDescription {
  readonly capabilities: readonly Capability[];
  readonly needs: readonly string[];
  readonly resolves: readonly string[];
  readonly dataCategories: readonly string[];
}

/** A connector to a service that answers the contract. */
export interface ClientConnector extends Connector {
  describe(signal: AbortSignal): Promise<ClientDescription>;
}

/** A configured connection, read and checked: what the planner needs of it, and how to act on it. */
export interface ConfiguredConnection {
  readonly config: ConnectionConfig;
  /** As its files have them, with the identities that references to other connections give. */
  readonly datasets: readonly Dataset[];
  readonly capabilities: ReadonlySet<Capability>;
  readonly needs: readonly string[];
  readonly resolves: readonly string[];
  /** Those of `resolves` of which it can only tell what it was asked with, though maybe in other letters. */
  readonly repeats: readonly string[];
  /** Connections whose rows name what is here, and those that it was made from. */
  readonly foundThrough: ReadonlySet<string>;
  readonly madeFrom: ReadonlySet<string>;
  readonly coverage: (identityTypes: ReadonlySet<string>, about?: About) => Coverage;
  readonly changeCoverage: (order: ChangeOrder, identityTypes: ReadonlySet<string>) => ChangeCoverage;
  /** The datasets and rules as they are now; a plan is frozen with them. */
  readonly inputs: { readonly hash: string; readonly content: string };
  /** The same with other rules about data: those of one law, right and kind of person. */
  under(rules: readonly KeepRule[]): Pick<ConfiguredConnection, 'coverage' | 'inputs'>;
  /** A connector over datasets and rules as they were frozen. */
  open(content: string): Connector;
}

export interface SystemsOptions {
  readonly map: Pick<DataMap, 'systems' | 'gaps'>;
  readonly connections: readonly ConfiguredConnection[];
  readonly openClient: (client: ApprovedClient, audience: string) => ClientConnector;
  /** Most tasks at once on a service that has a client. */
  readonly clientConcurrency: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** All systems that requests reach: the connections of the configuration and the services of the map. */
export interface Systems {
  /** `rules`: what the policy says about data for the request that is planned. (Default: the rules of the configuration) */
  plannable(rules?: readonly KeepRule[]): Promise<readonly PlannableSystem[]>;
  /** Why a plan may miss a system, one sentence each: sources of the map that cannot be read. */
  blindSpots(): Promise<readonly string[]>;
  /**
   * The connector of a system, with the datasets that a plan froze, or with those of now (undefined), or of a service, which has
   * none (null). Throws ADDRESS_NOT_APPROVED if nothing approved answers for it any more.
   */
  connector(key: string, inputs: string | null | undefined): Promise<Connector>;
  concurrency(key: string | null): number;
  /** Removes what processes that ended left of our own beside the things of stores. One that cannot be reached is tried the next time. */
  sweep(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

const DESCRIPTION_CACHE_MILLISECONDS = 60_000;
const DESCRIBE_TIMEOUT_MILLISECONDS = 5_000;
const PACKAGE_CONCURRENCY = 4;

/** One thing to ask: a client may answer for several services of its team. */
interface ClientSystem {
  readonly key: string;
  /** The name that the answering program expects in its tokens: its service's, or its team's where it answers for several. */
  readonly audience: string;
  readonly client: ApprovedClient;
  readonly team: string;
  readonly dataTypes: readonly string[];
}

export function createSystems(options: SystemsOptions): Systems {
  const connections = new Map(options.connections.map((connection) => [connection.config.key, connection]));
  const opened = createOpenedConnectors(options);
  const descriptions = new Map<
    string,
    { readonly at: number; readonly description: Promise<ClientDescription | undefined> }
  >();
  /** A label that anybody can publish must not take the key of a configured connection. */
  const clients = (systems: readonly System[]): readonly ClientSystem[] =>
    clientSystems(systems).map((system) =>
      connections.has(system.key) ? { ...system, key: `client:${system.key}` } : system,
    );
  const openClient = (system: ClientSystem): ClientConnector =>
    opened.get(`client ${system.key} ${system.client.protocol} ${system.client.address}`, () =>
      options.openClient(system.client, system.audience),
    );

  const describe = (system: ClientSystem): Promise<ClientDescription | undefined> => {
    const name = `${system.key} ${system.client.protocol} ${system.client.address}`;
    const now = options.clock.now().getTime();
    const known = descriptions.get(name);
    if (known !== undefined && now - known.at < DESCRIPTION_CACHE_MILLISECONDS) return known.description;
    const description = openClient(system)
      .describe(AbortSignal.timeout(DESCRIBE_TIMEOUT_MILLISECONDS))
      .catch(async (error: unknown) => {
        options.logger.warn(
          { err: error, system: system.key },
          'a service did not describe itself; its last description is used, if there is one',
        );
        const last = await known?.description;
        // Without any description the next plan asks again instead of waiting for the cache to end.
        if (last === undefined) descriptions.delete(name);
        return last;
      });
    descriptions.set(name, { at: now, description });
    return description;
  };

  return {
    async plannable(rules) {
      const systems = await options.map.systems();
      const described = await Promise.all(
        clients(systems).map(
          async (system): Promise<PlannableSystem> => fromClient(system, await describe(system)),
        ),
      );
      return [
        ...options.connections.map((connection) => fromConnection(connection, systems, rules)),
        ...described,
        ...ticketSystems(systems).map((system) =>
          connections.has(system.key) ? { ...system, key: `ticket:${system.key}` } : system,
        ),
      ];
    },
    async blindSpots() {
      return (await options.map.gaps())
        .filter((gap) => gap.kind === 'source-failing')
        .map((gap) => gap.message);
    },
    async connector(key, inputs) {
      // A plan that froze no datasets meant a service, whatever was connected under its name since.
      const connection = inputs === null ? undefined : connections.get(key);
      if (connection !== undefined) {
        const content = inputs ?? connection.inputs.content;
        return opened.get(`connection ${key} ${content}`, () => connection.open(content));
      }
      const systems = await options.map.systems();
      const known = inputs === null ? [...clients(systems), ...clientSystems(systems)] : clients(systems);
      const system = known.find((candidate) => candidate.key === key);
      if (system === undefined) {
        throw new HabeasError(
          'ADDRESS_NOT_APPROVED',
          `Nothing approved answers for ${key} any more. Approve its client (\`habeas clients list\`), or skip the task with a reason.`,
        );
      }
      return openClient(system);
    },
    concurrency(key) {
      if (key === null) return PACKAGE_CONCURRENCY;
      const connection = connections.get(key);
      return connection === undefined ? options.clientConcurrency : concurrencyOf(connection.config);
    },
    async sweep(signal) {
      for (const [key, connection] of connections) {
        const { content } = connection.inputs;
        const connector = opened.get(`connection ${key} ${content}`, () => connection.open(content));
        await connector.sweep?.(signal).catch((error: unknown) => {
          if (!signal.aborted)
            options.logger.warn({ err: error, system: key }, 'unfinished files could not be looked for');
        });
      }
    },
    close: () => opened.close(),
  };
}

function fromConnection(
  connection: ConfiguredConnection,
  systems: readonly System[],
  rules: readonly KeepRule[] | undefined,
): PlannableSystem {
  const { coverage, inputs } = rules === undefined ? connection : connection.under(rules);
  const { config } = connection;
  const declared = systems.filter(
    (system) => system.answeredBy.kind === 'connection' && system.service === (config.service ?? config.key),
  );
  return {
    key: config.key,
    team: config.team,
    by: 'connection',
    capabilities: connection.capabilities,
    needs: connection.needs,
    resolves: connection.resolves,
    repeats: connection.repeats,
    dataTypes: [...new Set(declared.flatMap((system) => system.dataTypes))].sort(),
    coverage,
    inputs,
    changeCoverage: connection.changeCoverage,
  };
}

function fromClient(system: ClientSystem, description: ClientDescription | undefined): PlannableSystem {
  const base = { key: system.key, team: system.team, by: 'client' as const, dataTypes: system.dataTypes };
  if (description === undefined) {
    return {
      ...base,
      capabilities: new Set<Capability>(['resolve', 'collect', 'erase', 'verify']),
      needs: [],
      resolves: [],
      undescribed: true,
      remark: `${system.key} did not answer when it was asked what it supports; it is asked for identities, and offered every one, as if it supported all.`,
    };
  }
  return {
    ...base,
    capabilities: new Set(description.capabilities),
    needs: description.needs,
    resolves: description.resolves,
    dataCategories: description.dataCategories,
  };
}

/** Groups services by the client that answers for them, so that one client is asked once. */
function clientSystems(systems: readonly System[]): readonly ClientSystem[] {
  const byClient = new Map<string, { client: ApprovedClient; members: System[] }>();
  for (const system of systems) {
    if (system.answeredBy.kind !== 'client') continue;
    const { client } = system.answeredBy;
    const group = byClient.get(client.id);
    if (group === undefined) byClient.set(client.id, { client, members: [system] });
    else group.members.push(system);
  }
  return [...byClient.values()].map(({ client, members }) => {
    const [only] = members.length === 1 ? members : [];
    return {
      key: only?.key ?? `team:${client.team}`,
      audience: client.service ?? only?.service ?? client.team,
      client,
      team: client.team,
      dataTypes: [...new Set(members.flatMap((member) => member.dataTypes))].sort(),
    };
  });
}

function ticketSystems(systems: readonly System[]): readonly PlannableSystem[] {
  return systems.flatMap((system): readonly PlannableSystem[] => {
    if (system.answeredBy.kind !== 'ticket') return [];
    const remark =
      system.answeredBy.reason === 'client-not-approved'
        ? `The client of team ${system.team} is not approved yet, so nothing is sent to it; the team gets a ticket for ${system.key}.`
        : `Team ${system.team} has no client for ${system.key}; the team gets a ticket.`;
    return [
      {
        key: system.key,
        team: system.team,
        by: 'ticket',
        capabilities: new Set(),
        needs: [],
        resolves: [],
        dataTypes: system.dataTypes,
        remark,
      },
    ];
  });
}
