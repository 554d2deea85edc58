import * as z from 'zod';
import type { HabeasError, Outbound } from '../../foundation/index.ts';
import { explainFailure, openPage, readText, sourceFailed } from './open-page.ts';

export interface PrometheusApi {
  /** An instant query at an explicit time. Throws SCRAPE_FAILED for everything but a whole, well-formed answer. */
  query(query: string, options: { readonly at: Date; readonly signal: AbortSignal }): Promise<Vector>;
}

export interface Vector {
  readonly series: readonly Series[];
  /** How many warnings and remarks came with it. With any of them a part may be missing. */
  readonly warnings: number;
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
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

const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({ resultType: z.literal('vector'), result: z.array(z.unknown()) }),
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

  async function ask(query: string, at: Date, signal: AbortSignal): Promise<Vector> {
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
      const text = await readText(page, maxBytes);
      if (text === undefined) {
        throw sourceFailed(
          `An answer of ${source} is larger than ${maxBytes} bytes. Narrow it with matchers, or raise max_bytes.`,
        );
      }
      return readAnswer(text, { source, status: page.status });
    } finally {
      page.body.destroy();
    }
  }

  return {
    async query(query, { at, signal }) {
      const timer = AbortSignal.timeout(timeout);
      try {
        return await ask(query, at, AbortSignal.any([signal, timer]));
      } catch (error) {
        throw explainFailure(error, { source, timeout, timedOut: timer.aborted });
      }
    },
  };
}

function readAnswer(
  text: string,
  { source, status }: { readonly source: string; readonly status: number },
): Vector {
  const answer = parseJson(text, source);
  if (
    status !== 200 ||
    (typeof answer === 'object' && answer !== null && 'status' in answer && answer.status === 'error')
  ) {
    throw refused(answer, { source, status });
  }
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) throw unreadable(source);
  const { data, warnings, infos } = parsed.data;
  const series = data.result.map((entry) => {
    const read = readSeries(entry);
    if (read === undefined) throw unreadable(source);
    return read;
  });
  return { series, warnings: (warnings?.length ?? 0) + (infos?.length ?? 0) };
}

/** By hand: of a hundred thousand entries a schema would take longer than Prometheus itself. */
function readSeries(entry: unknown): Series | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  if (!('metric' in entry) || !('value' in entry) || !isRecordOfText(entry.metric)) return undefined;
  const { metric, value } = entry;
  if (!Array.isArray(value) || typeof value[1] !== 'string') return undefined;
  return { labels: metric, value: Number(value[1]) };
}

function isRecordOfText(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return false;
  for (const name in value) if (typeof (value as Record<string, unknown>)[name] !== 'string') return false;
  return true;
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(source);
  }
}

function unreadable(source: string): HabeasError {
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
