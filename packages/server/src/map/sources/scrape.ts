import { HabeasError, type Outbound } from '../../foundation/index.ts';
import type { GoodReading, Reading } from '../map-source.ts';
import {
  createExpositionReader,
  type DeclaredSample,
  type Exposition,
  MAX_BROKEN,
} from '../parse-exposition.ts';
import { readDeclarations } from '../read-declarations.ts';
import { MAX_LINE } from '../sample-line.ts';
import { sourceName } from '../source-name.ts';
import { createTextLines } from '../text-lines.ts';
import { explainFailure, type OpenedPage, openPage, sourceFailed } from './open-page.ts';

export interface ScrapeOptions {
  readonly outbound: Outbound;
  readonly url: string;
  /** Names it in what is stored and told. (Default: the URL without its secrets) */
  readonly source?: string;
  /** Sent with the request, such as an authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly prefix: string;
  /** Given to samples that have none of their own by that name, as Prometheus does with the labels of a target. */
  readonly labels?: Readonly<Record<string, string>>;
  /** For the whole page, from the first byte sent to the last one read; milliseconds. */
  readonly timeout: number;
  /** After decompression. */
  readonly maxBytes: number;
  /** Most samples of all families; a page with more is refused. (Default: no limit but the bytes) */
  readonly maxSamples?: number;
  readonly signal: AbortSignal;
}

/** Most declarations of one source. */
export const MAX_DECLARATIONS = 20_000;

/** Most refused declarations of one source that are told. */
export const MAX_REJECTIONS = 100;

const ACCEPT =
  'application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.6,text/plain;q=0.4,*/*;q=0.1';

/** Fetches and reads one metrics page. Whatever goes wrong is a failed reading, never an exception. */
export async function scrape(options: ScrapeOptions): Promise<Reading> {
  const source = options.source ?? sourceName(options.url);
  const timeout = AbortSignal.timeout(options.timeout);
  const signal = AbortSignal.any([options.signal, timeout]);
  try {
    const { outbound, url } = options;
    const page = await openPage({ outbound, url, headers: { accept: ACCEPT, ...options.headers }, signal });
    try {
      checkPage(page, source);
      return await readPage(page, { ...options, source });
    } finally {
      // Ends the transfer of a page that was given up; of a page that was read to its end there is nothing left to end.
      page.body.destroy();
    }
  } catch (error) {
    const failure = explainFailure(error, { source, timeout: options.timeout, timedOut: timeout.aborted });
    return { state: 'failed', source, error: failure };
  }
}

function checkPage({ status, headers }: OpenedPage, source: string): void {
  if (status !== 200) {
    const hint =
      status >= 300 && status < 400
        ? ' Redirects are not followed; configure the address where the page is.'
        : '';
    throw sourceFailed(`${source} answered with status ${status} instead of 200.${hint}`);
  }
  if (/\bhtml\b/i.test(String(headers['content-type'] ?? ''))) {
    throw sourceFailed(`${source} answered with a web page instead of metrics. Is the path right?`);
  }
}

async function readPage(
  { body, headers }: OpenedPage,
  options: ScrapeOptions & { readonly source: string },
): Promise<GoodReading> {
  const { source } = options;
  const reader = createExpositionReader({ prefix: options.prefix });
  const lines = createTextLines({ longest: MAX_LINE, onLine: reader.line });
  let bytes = 0;
  // Leaving the loop early cancels the body, which ends the transfer.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > options.maxBytes) {
      throw sourceFailed(
        `${source} is larger than ${options.maxBytes} bytes and was cut off there. Publish less, or raise map.max_bytes.`,
      );
    }
    lines.push(chunk);
  }
  const { cutOff } = lines.end();
  const page = reader.finish();
  const samples = page.samples.length + page.foreign.samples;
  if (options.maxSamples !== undefined && samples > options.maxSamples) {
    throw sourceFailed(
      `${source} has ${samples} samples, more than ${options.maxSamples}. Publish less, or raise map.max_samples.`,
    );
  }
  const { declarations, rejections } = readDeclarations(withLabels(page.samples, options.labels));
  if (declarations.length > MAX_DECLARATIONS) {
    throw invalid(`${source} has more than ${MAX_DECLARATIONS} declarations.`);
  }
  if (page.foreign.broken > 0 && page.foreign.samples === 0 && page.samples.length === 0) {
    throw invalid(`${source} answered with something that is not a metrics page. Is the path right?`);
  }
  const problems = incompleteness(page, { source, cutOff, headers });
  return {
    state: 'read',
    source,
    declarations,
    rejections: rejections.slice(0, MAX_REJECTIONS),
    problems: [...brokenLines(page, source), ...problems],
    complete: page.brokenCount === 0 && rejections.length === 0 && problems.length === 0,
  };
}

function withLabels(
  samples: readonly DeclaredSample[],
  labels: Readonly<Record<string, string>> | undefined,
): readonly DeclaredSample[] {
  if (labels === undefined) return samples;
  return samples.map((sample) => ({
    ...sample,
    labels: new Map([...Object.entries(labels), ...sample.labels]),
  }));
}

function brokenLines(page: Exposition, source: string): readonly string[] {
  const told = page.broken.map((line) => `${source} line ${line.line} cannot be read: ${line.reason}.`);
  const more = page.brokenCount - MAX_BROKEN;
  return more > 0 ? [...told, `${source} has ${more} more lines that cannot be read.`] : told;
}

/** Signs that a page that looks good is not all that there is. */
function incompleteness(
  page: Exposition,
  options: { readonly source: string; readonly cutOff: boolean; readonly headers: OpenedPage['headers'] },
): readonly string[] {
  const { source, headers } = options;
  if (page.samples.length === 0 && page.foreign.samples === 0) return [`${source} is empty.`];
  const openMetrics = /openmetrics/i.test(String(headers['content-type'] ?? ''));
  if (openMetrics && !page.ended)
    return [`${source} does not end with # EOF, so a part of it may be missing.`];
  // Without a length and without chunks, the end of the page cannot be told from a broken connection.
  const endUnknown = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
  if (endUnknown && options.cutOff) return [`${source} ends within a line, so a part of it may be missing.`];
  return [];
}

function invalid(message: string): HabeasError {
  return new HabeasError('EXPOSITION_INVALID', message, { retryable: true });
}
