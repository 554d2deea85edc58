import { type Clock, HabeasError } from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import type { NamedThings, NamePattern } from '../named-things.ts';
import type { ConfiguredConnection } from '../systems.ts';
import { comparisonOf } from './comparison.ts';
import { type ReadNames, readNames } from './read-names.ts';
import { readRows } from './read-rows.ts';
import type { Dangling, NamedCount, RowCount, Stray, StrayProblem, StrayReport } from './stray-report.ts';
import { type RowSource, StrayTable } from './stray-table.ts';

export interface FindStraysOptions {
  /** The connection whose things have names. */
  readonly store: ConfiguredConnection;
  /** All other connections. */
  readonly others: readonly ConfiguredConnection[];
  /** What is younger, in milliseconds, is no stray: its row may not be written yet. */
  readonly olderThan: number;
  /** Identity types of rows that need not name anything: nobody has to have a picture. (Default: none) */
  readonly optional?: ReadonlySet<string>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What was found; it lies in a temporary file until it is disposed of. */
export interface FoundStrays extends Disposable {
  readonly report: StrayReport;
  /** By collection, in the order of their names. */
  strays(): Iterable<Stray>;
  dangling(): Iterable<Dangling>;
}

/**
 * Compares the names in a store with the values in rows of other connections, in both directions. Changes nothing. Rows are read before
 * names, so that what is written meanwhile is young. What cannot be read is a problem of the report, and nothing is said of what depends
 * on it. Throws BAD_INPUT for a store whose things have no names, and what the comparison itself fails with.
 */
export async function findStrays(options: FindStraysOptions): Promise<FoundStrays> {
  const opened: OpenConnection[] = [];
  const open = (configured: ConfiguredConnection): OpenConnection => {
    const one = { configured, connector: configured.open(configured.inputs.content) };
    opened.push(one);
    return one;
  };
  const table = new StrayTable();
  try {
    const { named } = open(options.store).connector;
    if (named === undefined) {
      const { key, kind } = options.store.config;
      throw new HabeasError(
        'BAD_INPUT',
        `${key} is of the kind ${kind}, whose things have no names that rows could have.`,
      );
    }
    const tellers = options.others.map(open).filter(mayTell);
    return await compare({ ...options, named, tellers, table });
  } catch (error) {
    table[Symbol.dispose]();
    throw error;
  } finally {
    for (const { connector } of opened) await connector.close();
  }
}

interface OpenConnection {
  readonly configured: ConfiguredConnection;
  readonly connector: Connector;
}

/** Kinds that hold copies: who is known only there is a leftover, too. */
const COPIES: ReadonlySet<string> = new Set(['redis', 'logs']);

function mayTell({ configured, connector }: OpenConnection): boolean {
  return connector.named === undefined && !COPIES.has(configured.config.kind);
}

async function compare({
  store,
  named,
  tellers,
  table,
  ...options
}: FindStraysOptions & {
  readonly named: NamedThings;
  readonly tellers: readonly OpenConnection[];
  readonly table: StrayTable;
}): Promise<FoundStrays> {
  const { key, kind } = store.config;
  const before = new Date(options.clock.now().getTime() - options.olderThan);
  const { patterns, unfit } = patternsOf(named);
  const comparison = comparisonOf(
    patterns,
    tellers.map(({ configured, connector }) => ({ configured, known: connector.known })),
  );
  const known = new Map(
    tellers.flatMap(({ configured, connector }) =>
      connector.known === undefined ? [] : [[configured.config.key, connector.known] as const],
    ),
  );
  const { signal } = options;
  const rows = await readRows(comparison, { known, table, signal });
  const names: ReadNames =
    unfit.length > 0
      ? { extent: 'not', problems: [] }
      : await readNames({ key, named, patterns, comparison, table, before, signal });

  /** Whether all is known that a name of the pattern may be known by. */
  const canJudge = (pattern: number): boolean => {
    const groups = comparison.ofPattern[pattern];
    if (names.extent === 'not') return false;
    return groups === undefined ? names.extent === 'whole' : groups.every((group) => !rows.groups.has(group));
  };
  table.judge(
    patterns.map((_, pattern) => ({
      pattern,
      groups: canJudge(pattern) ? (comparison.ofPattern[pattern]?.length ?? 1) : undefined,
    })),
  );
  const collections = Map.groupBy(patterns.keys(), (pattern) => patterns[pattern]?.collection ?? '');
  const optional = options.optional ?? new Set();
  const sources = table.sources.filter(({ group }) =>
    comparison.groups[group]?.identities.every(({ type }) => !optional.has(type)),
  );
  const isCompared = ({ group, connection }: RowSource) =>
    names.extent === 'whole' && rows.isRead(group, connection);
  return {
    report: {
      connection: key,
      kind,
      collections: [...collections].map(([collection, own]): NamedCount => {
        const { things, strays, young } = table.count(own);
        const isJudged = own.every(canJudge);
        return {
          collection,
          things,
          strays: isJudged ? strays : undefined,
          young: isJudged ? young : undefined,
        };
      }),
      rows: sources.map((source): RowCount => {
        const { values, dangling } = table.countHeld(source);
        const { connection, collection, fields } = source;
        return {
          connection,
          collection,
          fields,
          values,
          dangling: isCompared(source) ? dangling : undefined,
        };
      }),
      problems: [...unfit, ...rows.problems, ...names.problems],
      remarks: comparison.remarks,
    },
    *strays() {
      for (const [collection, own] of collections)
        if (own.every(canJudge)) for (const name of table.strays(own)) yield { collection, name };
    },
    *dangling() {
      for (const source of sources.filter(isCompared)) {
        const { connection, collection, fields } = source;
        for (const shown of table.dangling(source)) {
          const values: readonly string[] = JSON.parse(shown);
          yield {
            connection,
            collection,
            values: Object.fromEntries(fields.map((field, index) => [field, values[index] ?? ''])),
          };
        }
      }
    },
    [Symbol.dispose]: () => table[Symbol.dispose](),
  };
}

/** Whether rows of other connections may have names of what is in this one. */
export async function hasNames(configured: ConfiguredConnection): Promise<boolean> {
  const connector = configured.open(configured.inputs.content);
  try {
    if (connector.named === undefined) return false;
    const { patterns, unfit } = patternsOf(connector.named);
    return patterns.length + unfit.length > 0;
  } finally {
    await connector.close();
  }
}

/** The patterns, or why the datasets have to be corrected before there are any. */
function patternsOf(named: NamedThings): {
  readonly patterns: readonly NamePattern[];
  readonly unfit: readonly StrayProblem[];
} {
  try {
    return { patterns: named.patterns(), unfit: [] };
  } catch (error) {
    const { code, message } = HabeasError.from(error);
    return { patterns: [], unfit: [{ message, code }] };
  }
}
