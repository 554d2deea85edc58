import {
  type About,
  buildDatasetGraph,
  type CollectionShape,
  type Dataset,
  type Identity,
  type KeepRule,
  planTraversal,
} from '../../catalog/index.ts';
import { type Clock, HabeasError } from '../../foundation/index.ts';
import type {
  Capability,
  ChangeWork,
  CollectSources,
  CollectStep,
  Connector,
  Evidence,
  Health,
  KeyBatch,
  Outcome,
  Residual,
  Residue,
  Scope,
} from '../connector.ts';
import type { KnownValues } from '../known-people.ts';
import { changeRows } from './change-rows.ts';
import { checkSchema, type StoreState } from './check-schema.ts';
import { collectedRows } from './collect.ts';
import { type CollectionChange, columnChanges } from './column-changes.ts';
import { compile } from './compile.ts';
import type { Compiled } from './compiled.ts';
import { eraseRows } from './erase.ts';
import { readAhead } from './key-chunks.ts';
import { knownCollections, knownValues } from './known-values.ts';
import type { LiveTable } from './live-table.ts';
import { locatedKeys, ownKeys } from './locate.ts';
import { sampledRows } from './sample.ts';
import type { SqlDialect } from './sql-dialect.ts';
import type { SqlTransaction } from './sql-transaction.ts';
import { Traversal } from './traversal.ts';
import { unreadableRows } from './unreadable-rows.ts';
import { countResidue } from './verify.ts';

/** What the connector of any SQL store is made with. */
export interface SqlConnectorOptions {
  /** Names the system in errors and evidence. */
  readonly key: string;
  readonly url: string;
  /** Empty for discovery alone. */
  readonly datasets: readonly Dataset[];
  /** Duties to keep, from the policy. (Default: none) */
  readonly keepRules?: readonly KeepRule[];
  readonly clock: Clock;
  /** Most transactions at once. (Default: 4) */
  readonly connections?: number;
  /** What the connection says in `options`. (Default: nothing) */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Copies that an erasure does not reach. (Default: what the store's own settings tell) */
  readonly residuals?: readonly Residual[];
}

const CAPABILITIES: readonly Capability[] = ['resolve', 'collect', 'locate', 'erase', 'verify', 'discover'];

/** How long the live schema is believed. A table that goes missing meanwhile is noticed at once. */
const SCHEMA_MILLISECONDS = 60_000;
const CHECK_TIMEOUT_MILLISECONDS = 30_000;

export interface BeginOptions {
  readonly signal: AbortSignal;
  /** `snapshot`: for reading. `change`: rows are locked as they are found. */
  readonly isolation: 'snapshot' | 'change';
  /** Hears of every failure before it is thrown. */
  readonly onError: (error: HabeasError) => void;
}

/** A database, as far as its kind matters. */
export interface SqlStore {
  /** Asked for when a transaction has begun. */
  readonly dialect: SqlDialect;
  begin(options: BeginOptions): Promise<SqlTransaction>;
  /** The live schema without any row of data, by shape name. */
  readTables(transaction: SqlTransaction): Promise<ReadonlyMap<string, LiveTable>>;
  state(transaction: SqlTransaction): Promise<StoreState>;
  /** What a failure of reaching the store means. */
  translate(error: unknown): HabeasError;
  /** Copies of what was just erased that the store itself keeps, by its settings. */
  residuals(transaction: SqlTransaction, now: Date): Promise<StoreResiduals>;
  /** Where the connection asks for it: prepares, before the erasure is committed, to take its bytes out of the store's files. */
  purge?: ((transaction: SqlTransaction, tables: readonly LiveTable[]) => Promise<Purge>) | undefined;
  close(): Promise<void>;
}

export interface StoreResiduals {
  /** Former versions in the files of the tables: nothing is left of them after a purge. */
  readonly files: readonly Residual[];
  /** Logs and what is made of them. */
  readonly logs: readonly Residual[];
}

/** Takes what was erased out of the files; after the commit. */
export type Purge = (signal: AbortSignal) => Promise<Purged>;

export interface Purged {
  /** Whether it is certain that nothing is left in the files. */
  readonly isProven: boolean;
  /** What was done, or why it is not certain. */
  readonly note: string;
}

/** Acts on one database by its datasets. Every task is one transaction of its own. */
export function createSqlConnector(options: SqlConnectorOptions, store: SqlStore): Connector {
  const { key, clock } = options;
  const graph = buildDatasetGraph(options.datasets);
  let schema: { readonly compiled: Compiled; readonly at: number } | undefined;

  const begin = (signal: AbortSignal, isolation: BeginOptions['isolation']): Promise<SqlTransaction> =>
    store.begin({
      signal,
      isolation,
      onError: (error) => {
        if (error.code === 'SCHEMA_MISMATCH') schema = undefined;
      },
    });

  const compileNow = async (transaction: SqlTransaction): Promise<Compiled> => {
    const now = clock.now();
    if (schema !== undefined && now.getTime() - schema.at < SCHEMA_MILLISECONDS) return schema.compiled;
    const plan = planTraversal(graph, { keepRules: options.keepRules ?? [], now });
    const compiled = compile({
      graph,
      plan,
      dialect: store.dialect,
      tables: await store.readTables(transaction),
    });
    schema = { compiled, at: now.getTime() };
    return compiled;
  };
  const compileFor = async (transaction: SqlTransaction, purpose: 'read' | 'erase'): Promise<Compiled> => {
    const compiled = await compileNow(transaction);
    const problems =
      purpose === 'read' ? compiled.readProblems : [...compiled.readProblems, ...compiled.eraseProblems];
    if (problems.length > 0) {
      schema = undefined;
      throw new HabeasError(
        'SCHEMA_MISMATCH',
        `The datasets of ${key} do not fit its database; nothing was run. ${problems.join(' ')}`,
        { details: problems },
      );
    }
    return compiled;
  };
  const traverse = async (
    transaction: SqlTransaction,
    search: {
      readonly compiled: Compiled;
      readonly identities: readonly Identity[];
      readonly about?: About | undefined;
      readonly searchFor?: 'identities';
    },
  ): Promise<Traversal> => Traversal.run({ transaction, ...search, now: clock.now() });
  async function* collect(scope: Scope, sources: CollectSources = 'all'): AsyncGenerator<CollectStep> {
    await using transaction = await begin(scope.signal, 'snapshot');
    const compiled = await compileFor(transaction, 'read');
    const traversal = await traverse(transaction, { compiled, ...whomOf(scope) });
    for await (const steps of collectedRows(traversal, sources)) {
      // Who gets the last step asks for no more. Rolled back, the temporary tables would be made anew each time.
      if (steps.at(-1)?.state === 'done') await transaction.commit();
      for (const step of steps) yield step;
    }
  }

  const changesOf = (compiled: Compiled, work: ChangeWork): readonly CollectionChange[] => {
    const problems: string[] = [];
    const changes = columnChanges(compiled, { system: key, work, problems });
    if (problems.length === 0) return changes;
    throw new HabeasError(
      'SCHEMA_MISMATCH',
      `The datasets of ${key} do not fit its database; nothing was changed. ${problems.join(' ')}`,
      { details: problems },
    );
  };

  async function* locate(scope: Scope, purpose: 'erase' | ChangeWork = 'erase'): AsyncGenerator<KeyBatch> {
    await using transaction = await begin(scope.signal, 'snapshot');
    const compiled = await compileFor(transaction, purpose === 'erase' ? 'erase' : 'read');
    const wanted =
      purpose === 'erase' ? [] : changesOf(compiled, purpose).map(({ collection }) => collection.name);
    const traversal = await traverse(transaction, { compiled, ...whomOf(scope) });
    yield* purpose === 'erase' ? locatedKeys(traversal) : ownKeys(traversal, new Set(wanted));
    await transaction.commit();
  }

  async function* discover(signal: AbortSignal): AsyncGenerator<CollectionShape> {
    await using transaction = await begin(signal, 'snapshot');
    for (const table of (await store.readTables(transaction)).values()) yield table.shape;
    await transaction.commit();
  }

  async function* sample(collection: string, limit: number, signal: AbortSignal) {
    await using transaction = await begin(signal, 'snapshot');
    const tables = await store.readTables(transaction);
    yield* sampledRows(transaction, { dialect: store.dialect, tables, collection, limit });
    await transaction.commit();
  }

  async function* readKnown(types: readonly string[], signal: AbortSignal): AsyncGenerator<KnownValues> {
    await using transaction = await begin(signal, 'snapshot');
    yield* knownValues(transaction, await compileFor(transaction, 'read'), types);
    await transaction.commit();
  }

  return {
    capabilities: capabilitiesOf(options.datasets),
    known: { collections: knownCollections(graph), read: readKnown },
    tellsByDatasets: true,
    discover,
    sample,
    collect,
    locate,
    async check(): Promise<Health> {
      try {
        await using transaction = await begin(AbortSignal.timeout(CHECK_TIMEOUT_MILLISECONDS), 'change');
        schema = undefined;
        const state = await store.state(transaction);
        return await checkSchema(transaction, await compileNow(transaction), state);
      } catch (error) {
        const known = store.translate(error);
        return { ok: false, message: known.message, problems: known.details };
      }
    },
    async resolve(scope) {
      await using transaction = await begin(scope.signal, 'snapshot');
      const compiled = await compileFor(transaction, 'read');
      const traversal = await traverse(transaction, {
        compiled,
        identities: scope.identities,
        searchFor: 'identities',
      });
      await transaction.commit();
      const given = new Set(scope.identities.map(({ type, value }) => JSON.stringify([type, value])));
      return traversal.identities.filter(({ type, value }) => !given.has(JSON.stringify([type, value])));
    },
    async erase(scope, mode): Promise<Outcome> {
      const keys = readAhead(() => scope.keys());
      await using transaction = await begin(scope.signal, 'change');
      const compiled = await compileFor(transaction, 'erase');
      const erasing = {
        transaction,
        compiled,
        system: key,
        keys,
        now: clock.now(),
        countsGone: scope.unanswered === true,
      };
      const erased = await eraseRows(erasing, mode);
      const unreadable = await unreadableRows(transaction, compiled);
      const evidence = { ...erased, notes: [...erased.notes, ...unreadable] };
      // A dry run leaves nothing behind, not even the temporary tables' rows.
      if (mode === 'dry-run' || !evidence.matched) return { state: 'done', evidence };
      const { files, logs } = await store.residuals(transaction, clock.now());
      const purge = await store.purge?.(transaction, tablesOf(compiled, evidence));
      await transaction.commit();
      const purged = await purge?.(scope.signal);
      const left = purged?.isProven === true ? logs : [...files, ...logs];
      return {
        state: 'done',
        evidence: { ...withPurge(evidence, purged), residuals: left },
      };
    },
    async change(scope, work, mode): Promise<Outcome> {
      await using transaction = await begin(scope.signal, 'change');
      const compiled = await compileFor(transaction, 'read');
      const evidence = await changeRows(
        {
          transaction,
          compiled,
          system: key,
          changes: changesOf(compiled, work),
          keys: scope.keys(),
          now: clock.now(),
          evidenceKey: scope.evidenceKey,
        },
        mode,
      );
      if (mode === 'change') await transaction.commit();
      return { state: 'done', evidence };
    },
    async verify(scope): Promise<Residue> {
      const keys = readAhead(() => scope.keys());
      await using transaction = await begin(scope.signal, 'snapshot');
      const compiled = await compileFor(transaction, 'erase');
      const traversal = await traverse(transaction, { compiled, ...whomOf(scope) });
      const residue = await countResidue({
        transaction,
        compiled,
        system: key,
        traversal,
        keys,
      });
      await transaction.commit();
      return residue;
    },
    async close() {
      await store.close();
    },
  };
}

/** The tables that evidence has rows of. */
function tablesOf({ collections }: Compiled, { counts }: Evidence): readonly LiveTable[] {
  return Object.keys(counts).flatMap((name) => collections.get(name)?.live ?? []);
}

/** Rows that are only hidden stay so, whatever was done with the files. */
function withPurge(evidence: Evidence, purged: Purged | undefined): Evidence {
  if (purged === undefined) return evidence;
  const effects = Object.entries(evidence.effects ?? {}).map(([name, effect]) => [
    name,
    purged.isProven && effect.level === 'logical' ? { ...effect, level: 'purged' } : effect,
  ]);
  return { ...evidence, effects: Object.fromEntries(effects), notes: [...evidence.notes, purged.note] };
}

/** What it can, by what the datasets say: marks need columns. */
function capabilitiesOf(datasets: readonly Dataset[]): ReadonlySet<Capability> {
  const flags = datasets.flatMap(({ collections }) => collections.flatMap((collection) => collection.flags));
  const capabilities = new Set<Capability>([...CAPABILITIES, 'rectify', 'portability']);
  if (flags.some(({ flag }) => flag === 'restriction')) capabilities.add('restrict');
  if (flags.some(({ flag }) => flag !== 'restriction')) capabilities.add('object');
  return capabilities;
}

/** Whom a search is about. */
function whomOf({ identities, about }: Scope): Pick<Scope, 'identities' | 'about'> {
  return { identities, about };
}
