import type { Residual } from '../connector.ts';
import type { SphinxClient } from './sphinx-client.ts';

/** Copies of what was erased that searchd keeps, by the kinds of indexes that something was erased from. */
export async function residualsOf(
  client: SphinxClient,
  {
    live,
    flushPeriod,
    isPurged,
    now,
    signal,
  }: {
    /** RT indexes. */
    readonly live: readonly string[];
    /** Seconds. */
    readonly flushPeriod: number;
    readonly isPurged: boolean;
    readonly now: Date;
    readonly signal: AbortSignal;
  },
): Promise<readonly Residual[]> {
  const variables = await client.ask('SHOW VARIABLES', { signal });
  const format = variables.find(({ Variable_name }) => Variable_name === 'query_log_format')?.Value;
  const names = live.map((index) => `"${index}"`).join(', ');
  return [
    ...(live.length === 0
      ? []
      : [
          {
            what: `The binary log of searchd, which has documents of ${names} until every RT index is written to disk (rt_flush_period).`,
            until: new Date(now.getTime() + flushPeriod * 1_000).toISOString(),
            copy: 'binary-log',
          },
          {
            what: isPurged
              ? `Erased documents in the newest chunk of ${names}, which no search finds, until it is merged with a newer one (OPTIMIZE INDEX).`
              : `Erased documents in the files of ${names}, which no search finds, until their chunks are merged (OPTIMIZE INDEX).`,
            until: null,
            copy: 'chunks',
          },
        ]),
    ...(format === 'sphinxql'
      ? [
          {
            what: 'The query log of searchd (query_log_format = sphinxql), which has the identities that were searched for, until it is rotated away.',
            until: null,
            copy: 'query-log',
          },
        ]
      : []),
  ];
}
