import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import {
  type CollectionShape,
  linkConnections,
  lintDatasets,
  parseDatasets,
  type Severity,
} from '../catalog/index.ts';
import { configureConnections, createPostgresConnector, loadConnectionKinds } from '../connectors/index.ts';
import {
  type Config,
  type ConnectionConfig,
  HabeasError,
  loadConfig,
  type SourcePlace,
  systemClock,
} from '../foundation/index.ts';
import { lintRecordFile } from '../map/index.ts';
import { caseOf, categoryRules, loadPolicy, type Policy } from '../policy/index.ts';

/** One thing that is wrong or doubtful, and where. */
export interface ProjectFinding {
  readonly severity: Severity;
  /** A code of docs/datasets.md, or of docs/errors.md. */
  readonly code: string;
  readonly message: string;
  readonly place: SourcePlace;
}

export interface CheckOptions {
  readonly file: string | undefined;
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Compares with no database, and takes any value for an environment variable that is not set. */
  readonly offline: boolean;
  readonly signal: AbortSignal;
}

export interface ProjectReport {
  readonly findings: readonly ProjectFinding[];
  readonly connections: number;
  readonly datasets: number;
  /** Connections whose live schema was compared. */
  readonly compared: number;
}

/** Everything that is wrong with configuration, policy and datasets; in the order in which a person would look. */
export async function checkProject(options: CheckOptions): Promise<ProjectReport> {
  const findings: ProjectFinding[] = [];
  const attempt = <Result>(act: () => Result, file: string | undefined): Result | undefined => {
    try {
      return act();
    } catch (error) {
      findings.push(...findingsOf(HabeasError.from(error), file ?? options.folder));
      return undefined;
    }
  };
  const config = attempt(() => readConfig(options, findings), options.file);
  if (config === undefined) {
    return { findings: relativeTo(options.folder, findings), connections: 0, datasets: 0, compared: 0 };
  }
  if (config.file === undefined) {
    findings.push({
      severity: 'warning',
      code: 'CONFIG_INVALID',
      message:
        'There is no habeas.yaml here; the defaults are used and nothing is connected. Make one with `habeas init`.',
      place: { file: options.folder },
    });
  }
  const policyFile = config.policy === undefined ? undefined : resolve(config.folder, config.policy);
  const policy = attempt(() => loadPolicy(policyFile, systemClock.now()), policyFile);
  findings.push(...(policy?.warnings ?? []).map((doubt) => ({ ...doubt, code: 'POLICY_INVALID' })));
  const recordFile = config.record === undefined ? undefined : resolve(config.folder, config.record);
  const doubts = attempt(() => lintRecordFile(recordFile), recordFile) ?? [];
  findings.push(
    ...doubts.map((doubt) => ({ severity: 'warning' as const, code: 'RECORD_INVALID', ...doubt })),
  );

  let datasets = 0;
  let compared = 0;
  const unreadable = new Set<string>();
  const parsed = new Map(
    config.connections.map(({ key, datasets: names }) => [
      key,
      names.flatMap((name) => {
        const file = resolve(config.folder, name);
        const own = attempt(() => parseDatasets(readDataset(file), relative(options.folder, file)), file);
        if (own === undefined) unreadable.add(key);
        return own ?? [];
      }),
    ]),
  );
  const linked = linkConnections(parsed);
  const readable = config.connections.filter(({ key }) => !unreadable.has(key));
  for (const connection of config.connections) {
    const own = linked.get(connection.key)?.datasets ?? [];
    datasets += own.length;
    const shapes = options.offline
      ? undefined
      : await discover(connection, options.signal).catch(HabeasError.from);
    if (shapes instanceof HabeasError) findings.push(...findingsOf(shapes, config.file ?? options.folder));
    const live = shapes === undefined || shapes instanceof HabeasError ? undefined : shapes;
    const found =
      attempt(() => lintDatasets(own, live === undefined ? {} : { shapes: live }), config.file) ?? [];
    findings.push(...found);
    if (options.offline || shapes instanceof HabeasError) continue;
    compared += 1;
    if (found.some(({ severity }) => severity === 'error')) continue;
    findings.push(
      ...(await tryOut({
        connection,
        config: { ...config, connections: readable },
        policy,
        file: config.file ?? options.folder,
      })),
    );
  }
  return {
    findings: relativeTo(options.folder, findings),
    connections: config.connections.length,
    datasets,
    compared,
  };
}

/** What no environment variable holds; fits wherever a configuration has an address. */
const ANY_ADDRESS = 'http://not-set.invalid';

function readConfig(options: CheckOptions, findings: ProjectFinding[]): Config {
  if (!options.offline) return loadConfig(options);
  const missing = new Set<string>();
  const environment = new Proxy(options.environment, {
    get: (target, name: string) => {
      if (target[name] === undefined) missing.add(name);
      return target[name] ?? ANY_ADDRESS;
    },
  });
  const config = loadConfig({ ...options, environment });
  for (const name of missing) {
    findings.push({
      severity: 'info',
      code: 'CONFIG_INVALID',
      message: `The environment variable ${name} is not set here; the server needs it.`,
      place: { file: config.file ?? options.folder },
    });
  }
  return config;
}

function readDataset(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HabeasError(
      'DATASET_INVALID',
      'The file cannot be read. Correct `datasets` in the configuration.',
      {
        cause,
        place: { file },
      },
    );
  }
}

/** Where Habeas keeps its own state, which may be in the same database. */
const OWN_SCHEMA = 'habeas.';

/** The live schema of a connection; only shapes, no rows. */
export async function discover(
  connection: Pick<ConnectionConfig, 'key' | 'kind' | 'url'>,
  signal: AbortSignal,
): Promise<readonly CollectionShape[] | undefined> {
  if (connection.kind !== 'postgres') return undefined;
  const { key, url } = connection;
  const connector = createPostgresConnector({ key, url, datasets: [], clock: systemClock, connections: 1 });
  try {
    const shapes = await Array.fromAsync(connector.discover?.(signal) ?? []);
    return shapes.filter(({ name }) => !name.startsWith(OWN_SCHEMA));
  } finally {
    await connector.close();
  }
}

/** What the policy says about data when somebody of the usual kind is erased under the usual law. */
function erasureRules(policy: Policy, now: Date) {
  return categoryRules({ rules: policy.rules, request: caseOf(policy, { right: 'erasure' }), now });
}

/** Lets the connector itself say whether it could act; it knows what can be masked and what cannot. */
async function tryOut(options: {
  readonly connection: ConnectionConfig;
  readonly config: Config;
  readonly policy: Policy | undefined;
  readonly file: string;
}): Promise<readonly ProjectFinding[]> {
  const { connection, policy, file } = options;
  const { config } = options;
  try {
    const [configured] = configureConnections({
      config,
      kinds: await loadConnectionKinds({ ...config, connections: [connection] }),
      only: connection.key,
      keepRules: policy === undefined ? [] : erasureRules(policy, systemClock.now()),
      clock: systemClock,
    });
    if (configured === undefined) return [];
    const connector = configured.open(configured.inputs.content);
    try {
      const { ok, message, problems } = await connector.check();
      if (ok) return [];
      const place = { file: resolve(config.folder, connection.datasets[0] ?? file) };
      return (problems.length === 0 ? [message] : problems).map((problem) => ({
        severity: 'error',
        code: 'SCHEMA_MISMATCH',
        message: problem,
        place,
      }));
    } finally {
      await connector.close();
    }
  } catch (error) {
    return findingsOf(HabeasError.from(error), file);
  }
}

/** An error as findings: one for each detail, at the place that the detail begins with. */
function findingsOf(error: HabeasError, file: string): readonly ProjectFinding[] {
  const texts = error.details.length > 0 ? error.details : [error.message];
  return texts.map((text) => {
    const [, where, line, column, rest] = /^(.+?):(\d+):(\d+): (.+)$/s.exec(text) ?? [];
    const base = { severity: 'error' as const, code: error.code };
    if (where === undefined || rest === undefined)
      return { ...base, message: text, place: error.place ?? { file } };
    return { ...base, message: rest, place: { file: where, line: Number(line), column: Number(column) } };
  });
}

/** Files as a person in that folder names them. */
function relativeTo(folder: string, findings: readonly ProjectFinding[]): readonly ProjectFinding[] {
  return findings.map((finding) => {
    const file = relative(folder, resolve(folder, finding.place.file));
    return { ...finding, place: { ...finding.place, file: file === '' ? '.' : file } };
  });
}
