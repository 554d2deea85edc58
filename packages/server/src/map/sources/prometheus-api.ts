import * as z from 'zod';
import type { HabeasError, Outbound } from '../../foundation/index.ts';
import { createSeriesCutter, type Series } from './cut-series.ts';
import { explainFailure, openPage, readParts, sourceFailed } from './open-page.ts';

export interface PrometheusApi {
  /**
   * An instant query at an explicit time. Throws SCRAPE_FAILED for everything but a whole, well-formed answer; what `onSeries`
   * was told before does not count then.
   */
  query(query: string, options: QueryOptions): Promise<{ readonly warnings: number }>;
}

export interface QueryOptions {
  readonly at: Date;
  readonly signal: AbortSignal;
  readonly onSeries: (series: Series) => void;
}

export interface PrometheusApiOptions {
  readonly outbound: Outbound;
  /** Names the server in messages. */
  readonly source: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For one answer, to its last byte; milliseconds. */
  readonly timeout: number;
  /** Of one answer, after decompression. */
  readonly maxBytes: number;
}

/** The answer without its series. */
const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({ resultType: z.literal('vector'), result: z.array(z.never()) }),
  warnings: z.array(z.unknown()).nullish(),
  infos: z.array(z.unknown()).nullish(),
});

/** Words that Prometheus has for what is wrong; anything else is not repeated. */
const ERROR_TYPES = new Set([
  'timeout',
  'canceled',
  'execution',
  'bad_data',
  'internal',
  'unavailable',
  'not_found',
]);

/** The HTTP API of Prometheus, as Thanos, Mimir and others speak it too. */
export function createPrometheusApi(options: PrometheusApiOptions): PrometheusApi {
  const { source, outbound, headers, maxBytes, timeout } = options;
  const url = new URL(options.url);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/query`;

  async function ask(
    query: string,
    { at, onSeries, signal }: QueryOptions,
  ): Promise<{ readonly warnings: number }> {
    const form = new URLSearchParams({ query, time: (at.getTime() / 1_000).toFixed(3) });
    const page = await openPage({
      outbound,
      url: url.href,
      headers: { accept: 'application/json', ...headers },
      form,
      signal,
    });
    try {
      const isJson = /\bjson\b/i.test(String(page.headers['content-type'] ?? ''));
      if (page.status !== 200 && !isJson)
        throw sourceFailed(`${source} answered with status ${page.status}.`);
      if (!isJson) {
        throw sourceFailed(`${source} answered with something that is not JSON. Is the address right?`);
      }
      const cutter = page.status === 200 ? createSeriesCutter(onSeries) : undefined;
      const parts: string[] = [];
      const onPart = cutter?.push ?? ((part: string) => void parts.push(part));
      if ((await readParts(page, { maxBytes, onPart })) === 'too large') {
        throw sourceFailed(
          `An answer of ${source} is larger than ${maxBytes} bytes. Narrow it with matchers, or raise max_bytes.`,
        );
      }
      const rest = cutter === undefined ? parts.join('') : cutter.end();
      if (rest === undefined) throw unreadable(source);
      return readRest(rest, { source, status: page.status });
    } finally {
      page.body.destroy();
    }
  }

  return {
    async query(query, options) {
      const timer = AbortSignal.timeout(timeout);
      try {
        return await ask(query, { ...options, signal: AbortSignal.any([options.signal, timer]) });
      } catch (error) {
        throw explainFailure(error, { source, timeout, timedOut: timer.aborted });
      }
    },
  };
}

/** An answer without its series. */
function readRest(
  rest: string,
  { source, status }: { readonly source: string; readonly status: number },
): { readonly warnings: number } {
  const answer = parseJson(rest, source);
  const isError =
    typeof answer === 'object' && answer !== null && 'status' in answer && answer.status === 'error';
  if (status !== 200 || isError) throw refused(answer, { source, status });
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) throw unreadable(source);
  const { warnings, infos } = parsed.data;
  return { warnings: (warnings?.length ?? 0) + (infos?.length ?? 0) };
}

/** The labels of a series; undefined if it has other things than texts. */
export function labelsOf({ text }: Series): Readonly<Record<string, string>> | undefined {
  try {
    const labels: unknown = JSON.parse(text);
    return isRecordOfText(labels) ? labels : undefined;
  } catch {
    return undefined;
  }
}

function isRecordOfText(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every((text) => typeof text === 'string');
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(source);
  }
}

export function unreadable(source: string): HabeasError {
  return sourceFailed(
    `${source} answered with something that is not an answer of Prometheus. Is the address right?`,
  );
}

function refused(
  answer: unknown,
  { source, status }: { readonly source: string; readonly status: number },
): HabeasError {
  const said =
    typeof answer === 'object' && answer !== null && 'errorType' in answer ? answer.errorType : undefined;
  const kind = typeof said === 'string' && ERROR_TYPES.has(said) ? ` (${said})` : '';
  const hint = status === 401 || status === 403 ? ' Is the token, or the password, right?' : '';
  return sourceFailed(`${source} answered with status ${status} and an error${kind}.${hint}`);
}
