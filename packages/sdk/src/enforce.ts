import {
  type EnforceDuckDbOptions,
  type EnforcedDuckDb,
  enforceDuckDb,
  SqlRefusedError,
} from '@habeas/contract/consent-duckdb';

/** For whom and what a statement is narrowed. */
export interface EnforceOptions {
  /** On whose behalf; the one that the API key belongs to. */
  readonly organization: string;
  /** Code of the purpose, such as `analytics`. */
  readonly purpose: string;
  /** Key of the target in which it will run. (Default: the only one) */
  readonly target?: string;
  /** Where Habeas is. (Default: HABEAS_URL) */
  readonly url?: string;
  /** An API key. (Default: HABEAS_API_KEY) */
  readonly key?: string;
  /** How long the answer may take, in milliseconds. (Default: 10000) */
  readonly timeout?: number;
}

/** A statement as it may run. */
export interface EnforcedSql {
  readonly sql: string;
  readonly purpose: string;
  /** What was narrowed, how, and why so. */
  readonly relations: readonly {
    readonly schema: string;
    readonly name: string;
    readonly form: 'bitmap' | 'exists' | 'not-exists';
    readonly why: string;
  }[];
}

/** Why a statement may not run. */
export class EnforceError extends Error {
  override readonly name = 'EnforceError';
  /** As docs/errors.md lists them: `SQL_REFUSED`, `NOT_FOUND`, …; `UNAVAILABLE` where Habeas does not answer. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const TIMEOUT_MILLISECONDS = 10_000;

/** A statement for DuckDB is narrowed here, by files of `habeas consent export`; no Habeas is asked. */
export interface EnforceForDuckDbOptions extends EnforceDuckDbOptions {
  readonly engine: 'duckdb';
}

/**
 * The statement, narrowed to the rows of people whose data may be used for the purpose. Nothing is run. Rejects with {@link EnforceError}
 * when it is refused, and when nobody can tell: never run the statement that was given then. For DuckDB it rejects with `ConsentExportError` once
 * an export has expired.
 */
export function enforce(sql: string, options: EnforceOptions): Promise<EnforcedSql>;
export function enforce(sql: string, options: EnforceForDuckDbOptions): Promise<EnforcedDuckDb>;
export function enforce(
  sql: string,
  options: EnforceOptions | EnforceForDuckDbOptions,
): Promise<EnforcedSql | EnforcedDuckDb> {
  return 'engine' in options ? enforceHere(sql, options) : enforceByHabeas(sql, options);
}

async function enforceHere(sql: string, options: EnforceForDuckDbOptions): Promise<EnforcedDuckDb> {
  try {
    return await enforceDuckDb(sql, options);
  } catch (error) {
    if (error instanceof SqlRefusedError)
      throw new EnforceError('SQL_REFUSED', error.message, { cause: error });
    throw error;
  }
}

async function enforceByHabeas(sql: string, options: EnforceOptions): Promise<EnforcedSql> {
  const { organization, purpose, target, timeout = TIMEOUT_MILLISECONDS } = options;
  const url = options.url ?? process.env.HABEAS_URL;
  const key = options.key ?? process.env.HABEAS_API_KEY;
  if (url === undefined || key === undefined)
    throw new EnforceError(
      'BAD_INPUT',
      'Say where Habeas is: give `url` and `key`, or set HABEAS_URL and HABEAS_API_KEY.',
    );
  const response = await send(new URL('/api/v1/sql:enforce', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ organization, purpose, sql, ...(target === undefined ? {} : { target }) }),
    signal: AbortSignal.timeout(timeout),
  });
  const answer = response.body as Partial<EnforcedSql> & { readonly code?: string; readonly detail?: string };
  if (response.status !== 200)
    throw new EnforceError(
      answer.code ?? 'UNAVAILABLE',
      answer.detail ?? `Habeas answered with ${response.status}.`,
    );
  if (typeof answer.sql !== 'string' || answer.purpose !== purpose || !Array.isArray(answer.relations))
    throw new EnforceError('UNAVAILABLE', 'What answered is not Habeas.');
  return { sql: answer.sql, purpose, relations: answer.relations };
}

async function send(
  url: URL,
  init: RequestInit,
): Promise<{ readonly status: number; readonly body: unknown }> {
  try {
    const response = await fetch(url, init);
    return { status: response.status, body: (await response.json()) ?? {} };
  } catch (cause) {
    throw new EnforceError('UNAVAILABLE', `Habeas at ${url.origin} gave no answer that can be read.`, {
      cause,
    });
  }
}
