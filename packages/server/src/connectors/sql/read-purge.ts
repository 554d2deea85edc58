import { HabeasError } from '../../foundation/index.ts';
import type { SqlConnectorOptions } from './sql-connector.ts';

/** What the connection's `options` say about purging. Throws CONFIG_INVALID for anything that the kind does not know. */
export function readPurge<Way extends string>(
  { key, options = {} }: Pick<SqlConnectorOptions, 'key' | 'options'>,
  ways: readonly Way[],
): Way | undefined {
  const invalid = (text: string) => new HabeasError('CONFIG_INVALID', `Connection ${key} ${text}`);
  for (const name of Object.keys(options))
    if (name !== 'purge') throw invalid(`has the option "${name}"; its kind knows \`purge\` alone.`);
  const { purge } = options;
  const way = ways.find((known) => known === purge);
  if (purge !== undefined && way === undefined)
    throw invalid(`has a \`purge\` that its kind does not know: one of ${ways.join(', ')}.`);
  return way;
}
