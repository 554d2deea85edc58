import * as z from 'zod';
import { HabeasError } from '../../foundation/index.ts';
import type { ConnectionSettings } from '../connection-kind.ts';

const optionsSchema = z.strictObject({
  /** By plain index: what takes marked documents out of it, a program by its absolute path and its arguments. */
  commands: z
    .record(
      z.string(),
      z
        .array(z.string().min(1))
        .min(1)
        .refine(([program = '']) => program.startsWith('/'), {
          error: 'has to begin with the absolute path of a program; no shell reads it',
        }),
    )
    .default({}),
  /** Seconds, as `rt_flush_period` of searchd says; its default is ten hours. */
  rt_flush_period: z.int().min(0).default(36_000),
  /** Has searchd write the chunks of RT indexes anew after an erasure. */
  purge: z.literal('optimize').optional(),
});

export interface SphinxOptions {
  readonly host: string;
  readonly port: number;
  readonly commands: ReadonlyMap<string, readonly string[]>;
  /** Seconds. */
  readonly flushPeriod: number;
  readonly isPurged: boolean;
}

/** Reads `url` and `options` of a connection. Throws CONFIG_INVALID. */
export function sphinxOptions({ key, url, options }: ConnectionSettings): SphinxOptions {
  const invalid = (what: string) =>
    new HabeasError(
      'CONFIG_INVALID',
      `The connection ${key} cannot be used. ${what}. See docs/connect-sphinx.md.`,
    );
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success)
    throw invalid(
      `\`options\`: ${parsed.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ')}`,
    );
  const address = URL.parse(url);
  if (address === null || address.protocol !== 'mysql:' || address.hostname === '')
    throw invalid(
      '`url` is the address at which searchd listens for SphinxQL, as mysql://search.internal:9306',
    );
  return {
    host: address.hostname,
    port: address.port === '' ? 9306 : Number(address.port),
    commands: new Map(Object.entries(parsed.data.commands)),
    flushPeriod: parsed.data.rt_flush_period,
    isPurged: parsed.data.purge === 'optimize',
  };
}
