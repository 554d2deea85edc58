import {
  type ConfiguredConnection,
  configureConnections,
  type FoundStrays,
  findStrays,
  hasNames,
  loadConnectionKinds,
  type StrayReport,
  type SweptStore,
  sweepStore,
} from '../../connectors/index.ts';
import { durationToMilliseconds, HabeasError, loadConfig, systemClock } from '../../foundation/index.ts';
import type { CliContext, ConfigOptions } from '../context.ts';
import { type ExitName, exitNameOf } from '../exit-code.ts';
import {
  danglingJson,
  danglingLine,
  strayJson,
  strayLine,
  strayReportLines,
  sweptLine,
} from '../render/strays.ts';

export interface StraysOptions extends ConfigOptions {
  readonly list?: true;
  readonly olderThan: string;
  readonly optional?: readonly string[];
}

/**
 * Compares files and objects with the rows that name them, and ends with 1 if one is without the other. Removes unfinished files of our own
 * whose process has ended.
 */
export async function strays(
  context: CliContext,
  names: readonly string[],
  options: StraysOptions,
): Promise<ExitName> {
  const olderThan = millisecondsOf(options.olderThan);
  const { all, chosen, stores } = await connectionsOf(context, names, options);
  const swept: SweptStore[] = [];
  const found: FoundStrays[] = [];
  try {
    for (const one of chosen) {
      const store = await sweepStore(one, context.signal);
      if (store !== undefined) swept.push(store);
    }
    for (const store of stores) {
      // Beside its things something of ours may lie, but they have no names.
      if (swept.some(({ connection }) => connection === store.config.key) && !(await hasNames(store)))
        continue;
      const others = all.filter((one) => one !== store);
      const optional = new Set(options.optional);
      found.push(
        await findStrays({
          store,
          others,
          olderThan,
          optional,
          clock: systemClock,
          signal: context.signal,
        }),
      );
    }
    if (options.json === true) printJson(context, { found, swept }, options);
    else printLines(context, { found, swept }, options);
  } finally {
    for (const one of found) one[Symbol.dispose]();
  }
  return exitOf(found.map(({ report }) => report));
}

function millisecondsOf(text: string): number {
  if (!/^\d{1,6}(s|m|h|d)$/.test(text))
    throw new HabeasError('BAD_INPUT', '--older-than must be like 30m, 1h or 2d.');
  return durationToMilliseconds(text);
}

async function connectionsOf(
  { folder, environment }: CliContext,
  names: readonly string[],
  options: StraysOptions,
): Promise<{
  readonly all: readonly ConfiguredConnection[];
  /** Those that are asked for. */
  readonly chosen: readonly ConfiguredConnection[];
  /** Those of them whose things have names. */
  readonly stores: readonly ConfiguredConnection[];
}> {
  const config = loadConfig({ file: options.config, folder, environment, only: ['connections'] });
  const all = configureConnections({
    config,
    kinds: await loadConnectionKinds(config),
    clock: systemClock,
  });
  const chosen = [...new Set(names)].map((name) => {
    const store = all.find(({ config: { key } }) => key === name);
    if (store !== undefined) return store;
    const known = all.map((one) => one.config.key).join(', ');
    throw new HabeasError('NOT_FOUND', `There is no connection ${name}; there are: ${known}.`);
  });
  if (names.length > 0) return { all, chosen, stores: chosen };
  const stores: ConfiguredConnection[] = [];
  for (const one of all) if (await hasNames(one)) stores.push(one);
  if (stores.length > 0) return { all, chosen: all, stores };
  throw new HabeasError(
    'BAD_INPUT',
    'No connection of the configuration has files or objects that rows could name (kinds files and s3).',
  );
}

interface Findings {
  readonly found: readonly FoundStrays[];
  readonly swept: readonly SweptStore[];
}

/** Findings come as they are read, so that memory does not follow them. */
function printJson(
  { terminal }: CliContext,
  { found, swept }: Findings,
  { list }: Pick<StraysOptions, 'list'>,
): void {
  const items = found.map(({ report }) => report);
  const complete = items.every(({ problems }) => problems.length === 0);
  terminal.out(
    `{ "complete": ${complete}, "items": ${JSON.stringify(items, nullForUnknown, 2)},\n"unfinished": ${JSON.stringify(swept)}`,
  );
  const each = (name: string, values: Iterable<unknown>) => {
    terminal.out(`,\n"${name}": [`);
    let mark = '\n';
    for (const value of values) {
      terminal.out(`${mark}${JSON.stringify(value)}`);
      mark = ',\n';
    }
    terminal.out(']');
  };
  if (list === true) {
    each(
      'strays',
      eachOf(found, (one) => map(one.strays(), (stray) => strayJson(one.report, stray))),
    );
    each(
      'dangling',
      eachOf(found, (one) => map(one.dangling(), (row) => danglingJson(one.report, row))),
    );
  }
  terminal.out(' }\n');
}

/** A count that is not known must not look like one that is not there. */
function nullForUnknown(_: string, value: unknown): unknown {
  return value === undefined ? null : value;
}

function printLines(
  { terminal, paint }: CliContext,
  { found, swept }: Findings,
  { list }: Pick<StraysOptions, 'list'>,
): void {
  for (const [index, one] of found.entries()) {
    const lines = strayReportLines(one.report, { width: terminal.width, paint });
    terminal.out(`${index === 0 ? '' : '\n'}${lines.join('\n')}\n`);
    if (list !== true) continue;
    for (const stray of one.strays()) terminal.out(`${strayLine(one.report, stray)}\n`);
    for (const row of one.dangling()) terminal.out(`${danglingLine(row)}\n`);
  }
  for (const one of swept) terminal.out(`${found.length === 0 ? '' : '\n'}${sweptLine(one)}\n`);
}

function* eachOf<One, Value>(ones: readonly One[], values: (one: One) => Iterable<Value>): Generator<Value> {
  for (const one of ones) yield* values(one);
}

function* map<From, To>(values: Iterable<From>, to: (value: From) => To): Generator<To> {
  for (const value of values) yield to(value);
}

function exitOf(reports: readonly StrayReport[]): ExitName {
  const counts = reports.flatMap(({ collections, rows }) => [
    ...collections.map(({ strays }) => strays),
    ...rows.map(({ dangling }) => dangling),
  ]);
  if (counts.some((count) => count !== undefined && count > 0)) return 'failed';
  const problems = reports.flatMap((report) => report.problems);
  if (problems.length === 0) return 'done';
  const isUnreachable = problems.some(
    ({ code, message }) => code !== undefined && exitNameOf(new HabeasError(code, message)) === 'unreachable',
  );
  return isUnreachable ? 'unreachable' : 'blocked';
}
