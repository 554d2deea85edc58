import { type DestinationStream, type Logger, pino } from 'pino';
import { standardError } from './standard-error.ts';

export type { Logger };

/** Fields that may hold a person's data or a secret. They never reach a log line, whoever logs them. */
const REDACTED = [
  'email',
  'identity',
  'identities',
  'value',
  'row',
  'rows',
  'authorization',
  'password',
  'key',
  'token',
  'secret',
  'url',
];

export interface CreateLoggerOptions {
  /** (Default: 'info') */
  readonly level?: string;
  /** Where lines go. (Default: standard error, so that `--json` output stays clean) */
  readonly destination?: DestinationStream;
}

export function createLogger(options: CreateLoggerOptions = {}): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: '[removed]' },
      serializers: { err: serializeError, error: serializeError },
    },
    options.destination ?? standardError(),
  );
}

/** A foreign error's message may quote a row ("Key (email)=(…) already exists"), so only its shape is logged. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  const own = 'code' in error ? { code: error.code } : {};
  const message = error.name === 'HabeasError' ? { message: error.message } : {};
  const cause = error.cause === undefined ? {} : { cause: serializeError(error.cause) };
  const stack = (error.stack ?? '')
    .split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 8);
  return { type: error.name, ...own, ...message, stack, ...cause };
}
