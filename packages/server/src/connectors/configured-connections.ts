import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { api } from '@habeas/contract';
import { canonicalJson } from '../audit/index.ts';
import {
  type About,
  addedIdentities,
  applyLinks,
  buildDatasetGraph,
  changeCoverageOf,
  coverageOf,
  type Dataset,
  type DatasetGraph,
  type KeepRule,
  type Link,
  type LinkedDatasets,
  linkConnections,
  parseDatasets,
} from '../catalog/index.ts';
import {
  type Clock,
  type Config,
  type ConnectionConfig,
  formatPlace,
  HabeasError,
  sha256Hex,
} from '../foundation/index.ts';
import { type ConnectionKind, concurrencyOf, endsByItself, takesOptions } from './connection-kind.ts';
import type { Connections } from './connections.ts';
import type { Connector } from './connector.ts';
import { checkResiduals, nameResiduals } from './name-residuals.ts';
import type { ConfiguredConnection } from './systems.ts';

export interface ConfigureOptions {
  readonly config: Pick<Config, 'connections' | 'folder' | 'file'>;
  /** What the policy keeps when a person is erased, for plans that name no rules of their own. (Default: nothing) */
  readonly keepRules?: readonly KeepRule[];
  readonly kinds: Readonly<Record<string, ConnectionKind>>;
  readonly clock: Clock;
  /** The one that is meant; the others only tell what leads to it. (Default: all) */
  readonly only?: string;
}

/** The dataset files and rules that a plan is frozen with, as they are stored. */
interface FrozenInputs {
  readonly files: readonly { readonly file: string; readonly text: string }[];
  readonly keepRules: readonly KeepRule[];
  /** Identities that come from references to and from other connections. (Default: none) */
  readonly links?: readonly Link[];
}

/** What one connection reads, and how others lead to it. */
interface ReadConnection {
  readonly files: FrozenInputs['files'];
  readonly linked: LinkedDatasets;
}

/**
 * Reads the datasets of every connection. Throws CONFIG_INVALID for an unknown kind and DATASET_INVALID, with file and line, for
 * what cannot be read and for references that lead nowhere.
 */
export function configureConnections(options: ConfigureOptions): readonly ConfiguredConnection[] {
  const { connections, folder } = options.config;
  const files = new Map(
    connections.map((config) => [
      config.key,
      config.datasets.map((name) => ({
        file: relative(folder, resolve(folder, name)),
        text: readDataset(resolve(folder, name)),
      })),
    ]),
  );
  const linked = linkConnections(new Map([...files].map(([key, own]) => [key, parseFrozen({ files: own })])));
  return connections.flatMap((config) => {
    const [own, links] = [files.get(config.key), linked.get(config.key)];
    if (own === undefined || links === undefined || (options.only ?? config.key) !== config.key) return [];
    return configure(config, { files: own, linked: links }, options);
  });
}

function configure(
  config: ConnectionConfig,
  { files, linked }: ReadConnection,
  options: ConfigureOptions,
): ConfiguredConnection {
  const kind = options.kinds[config.kind];
  if (kind === undefined) {
    const known = Object.keys(options.kinds).join(', ');
    throw new HabeasError(
      'CONFIG_INVALID',
      `Connection ${config.key} is of the kind "${config.kind}"; known kinds are ${known}.`,
      {
        ...(options.config.file === undefined ? {} : { place: { file: options.config.file } }),
      },
    );
  }
  const { folder } = options.config;
  if (config.options !== undefined && !takesOptions(config.kind)) {
    throw new HabeasError(
      'CONFIG_INVALID',
      `Connection ${config.key} has options, but the kind "${config.kind}" takes none.`,
    );
  }
  checkResiduals(config);
  const { links } = linked;
  const graph = buildDatasetGraph(linked.datasets);
  refuseBrokenReferences(graph);
  if (!endsByItself(config.kind)) refuseLifetimes(config, linked.datasets);
  const under = rememberByRules((keepRules) => {
    const content = canonicalJson({
      files,
      keepRules,
      ...(links.length === 0 ? {} : { links }),
    } satisfies FrozenInputs);
    return {
      coverage: (identityTypes: ReadonlySet<string>, about?: About) =>
        coverageOf(graph, { identityTypes, about, keepRules, now: options.clock.now() }),
      inputs: { hash: sha256Hex(content), content },
    };
  });
  const { coverage: cover, inputs } = under(options.keepRules ?? []);
  const changeCoverage: ConfiguredConnection['changeCoverage'] = (order, identityTypes) =>
    changeCoverageOf(graph, {
      system: config.key,
      order,
      identityTypes,
      keepRules: options.keepRules ?? [],
      now: options.clock.now(),
    });
  const open = (stored: string): Connector => {
    const frozen: FrozenInputs = JSON.parse(stored);
    const connector = kind({
      key: config.key,
      url: config.url,
      folder,
      options: config.options ?? {},
      datasets: parseFrozen(frozen),
      keepRules: frozen.keepRules,
      clock: options.clock,
      connections: concurrencyOf(config),
    });
    return nameResiduals(connector, config, options.clock);
  };
  const all = cover(new Set());
  const { identitiesResolved: resolves } = cover(new Set(all.identitiesNeeded));
  const connector = open(inputs.content);
  const added = connector.tellsByDatasets === true ? addedIdentities(graph) : new Set(resolves);
  return {
    config,
    capabilities: connector.capabilities,
    datasets: linked.datasets,
    needs: all.identitiesNeeded,
    resolves,
    repeats: resolves.filter((type) => !added.has(type)),
    foundThrough: linked.foundThrough,
    madeFrom: linked.madeFrom,
    coverage: cover,
    inputs,
    under,
    changeCoverage,
    open,
  };
}

/** More sets of rules than one policy has for one day. */
const REMEMBERED_RULES = 64;

/** Rules are few and plans are many: what they give together with the datasets is made once. */
function rememberByRules<Made>(
  make: (rules: readonly KeepRule[]) => Made,
): (rules: readonly KeepRule[]) => Made {
  const made = new Map<string, Made>();
  return (rules) => {
    const name = JSON.stringify(rules);
    const known = made.get(name);
    if (known !== undefined) return known;
    if (made.size >= REMEMBERED_RULES) made.clear();
    const fresh = make(rules);
    made.set(name, fresh);
    return fresh;
  };
}

/** Where people can be found, what a collection holds of them has to be looked for. */
function refuseLifetimes({ key, kind }: ConnectionConfig, datasets: readonly Dataset[]): void {
  for (const dataset of datasets)
    for (const { name, lifetime, path } of dataset.collections)
      if (lifetime !== undefined)
        throw new HabeasError(
          'DATASET_INVALID',
          `"${name}" of ${key} has a \`lifetime\`, which the kind "${kind}" does not have: people are found in it. Leave it out.`,
          { place: dataset.placeOf(path) },
        );
}

/** Behind a reference that leads nowhere a person's rows would stay, and the request would end without them. */
function refuseBrokenReferences({ findings }: DatasetGraph): void {
  const [first, ...more] = findings.filter(({ severity }) => severity === 'error');
  if (first === undefined) return;
  const details = [first, ...more].map(({ place, message }) => `${formatPlace(place)}: ${message}`);
  throw new HabeasError('DATASET_INVALID', details.join('\n'), { details, place: first.place });
}

/** The connections as the API shows them: no address, no password. */
export function createConnections(
  configured: readonly ConfiguredConnection[],
  openNow: (key: string) => Promise<Connector>,
): Connections {
  return {
    list: () =>
      configured.map(
        ({ config, capabilities }): api.ConnectionView => ({
          key: config.key,
          kind: config.kind,
          service: config.service ?? config.key,
          team: config.team,
          datasets: [...config.datasets],
          capabilities: [...capabilities],
        }),
      ),
    async check(key) {
      if (!configured.some(({ config }) => config.key === key))
        throw new HabeasError('NOT_FOUND', `There is no connection ${key}.`);
      return (await openNow(key)).check();
    },
  };
}

function parseFrozen({ files, links = [] }: Pick<FrozenInputs, 'files' | 'links'>): readonly Dataset[] {
  return applyLinks(
    files.flatMap(({ file, text }) => parseDatasets(text, file)),
    links,
  );
}

function readDataset(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HabeasError(
      'DATASET_INVALID',
      `The dataset ${file} cannot be read. Correct \`datasets\` in the configuration, or draft one with \`habeas init\`.`,
      {
        cause,
        place: { file },
      },
    );
  }
}
