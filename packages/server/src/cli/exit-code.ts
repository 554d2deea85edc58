import type { ErrorCode, HabeasError } from '../foundation/errors.ts';

/** What the process ends with; docs/cli.md and `--help` list exactly these. */
export const EXIT_CODES = {
  done: { code: 0, meaning: 'done; everything that was asked for held' },
  failed: { code: 1, meaning: 'failed: a check found errors, or something unexpected happened' },
  usage: { code: 2, meaning: 'wrong input: an option, a file or a value has to be corrected' },
  blocked: { code: 3, meaning: 'not finished: it is blocked, on hold, or waits for a person or a date' },
  unreachable: { code: 4, meaning: 'a server, database or service could not be reached' },
  refused: { code: 5, meaning: 'the API key is missing, wrong, or may not do that' },
  changed: { code: 6, meaning: 'the map has a change that `--fail-on` names' },
  interrupted: { code: 130, meaning: 'interrupted from the keyboard' },
} as const;

export type ExitName = keyof typeof EXIT_CODES;

const BY_ERROR: Partial<Record<ErrorCode, ExitName>> = {
  BAD_INPUT: 'usage',
  NOT_FOUND: 'usage',
  CONFLICT: 'usage',
  IDEMPOTENCY_KEY_REUSED: 'usage',
  PAYLOAD_TOO_LARGE: 'usage',
  PORT_TAKEN: 'usage',
  UNAUTHENTICATED: 'refused',
  FORBIDDEN: 'refused',
  SERVER_UNREACHABLE: 'unreachable',
  DATABASE_UNREACHABLE: 'unreachable',
  SYSTEM_UNREACHABLE: 'unreachable',
  SYSTEM_TIMEOUT: 'unreachable',
  STORAGE_UNREACHABLE: 'unreachable',
  SCRAPE_FAILED: 'unreachable',
  UNAVAILABLE: 'unreachable',
  ADDRESS_NOT_APPROVED: 'blocked',
  STILL_READABLE: 'blocked',
};

/** How the process ends when a verb threw this error. */
export function exitNameOf(error: HabeasError): ExitName {
  return BY_ERROR[error.code] ?? 'failed';
}
