import { HabeasError } from '../foundation/index.ts';
import type { GoodReading, Reading } from './map-source.ts';
import { createExpositionReader, type Exposition, MAX_BROKEN } from './parse-exposition.ts';
import { readDeclarations } from './read-declarations.ts';
import { MAX_LINE } from './sample-line.ts';
import { sourceName } from './source-name.ts';
import { createTextLines } from './text-lines.ts';

export interface ScrapeOptions {
  readonly url: string;
  readonly prefix: string;
  /** For the whole page, from the first byte sent to the last one read; milliseconds. */
  readonly timeout: number;
  /** After decompression. */
  readonly maxBytes: number;
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
  const source = sourceName(options.url);
  const timeout = AbortSignal.timeout(options.timeout);
  const signal = AbortSignal.any([options.signal, timeout]);
  try {
    const response = await fetch(requestFor(options.url), { redirect: 'manual', signal });
    try {
      checkResponse(response, source);
      return await readPage(response, { ...options, source });
    } finally {
      // Ends the transfer of a page that was given up; of a page that was read to its end there is nothing left to end.
      if (response.body?.locked === false) await response.body.cancel();
    }
  } catch (error) {
    const failure = explain(error, { source, timeout: options.timeout, timedOut: timeout.aborted });
    return { state: 'failed', source, error: failure };
  }
}

function requestFor(url: string): Request {
  const target = new URL(url);
  const { username, password } = target;
  target.username = '';
  target.password = '';
  const headers = new Headers({ accept: ACCEPT, 'user-agent': 'habeas' });
  if (username !== '' || password !== '') {
    const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    headers.set('authorization', `Basic ${Buffer.from(user).toString('base64')}`);
  }
  return new Request(target, { headers });
}

function checkResponse(response: Response, source: string): void {
  const location = response.status >= 300 && response.status < 400;
  if (response.status !== 200) {
    const hint = location ? ' Redirects are not followed; configure the address where the page is.' : '';
    throw failed(`${source} answered with status ${response.status} instead of 200.${hint}`);
  }
  if (/\bhtml\b/i.test(response.headers.get('content-type') ?? '')) {
    throw failed(`${source} answered with a web page instead of metrics. Is the path right?`);
  }
}

async function readPage(
  response: Response,
  options: ScrapeOptions & { readonly source: string },
): Promise<GoodReading> {
  const { source } = options;
  const reader = createExpositionReader({ prefix: options.prefix });
  const lines = createTextLines({ longest: MAX_LINE, onLine: reader.line });
  let bytes = 0;
  // Leaving the loop early cancels the body, which ends the transfer.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > options.maxBytes) {
      throw failed(
        `${source} is larger than ${options.maxBytes} bytes and was cut off there. Publish less, or raise map.max_bytes.`,
      );
    }
    lines.push(chunk);
  }
  const { cutOff } = lines.end();
  const page = reader.finish();
  const { declarations, rejections } = readDeclarations(page.samples);
  if (declarations.length > MAX_DECLARATIONS) {
    throw invalid(`${source} has more than ${MAX_DECLARATIONS} declarations.`);
  }
  if (page.foreign.broken > 0 && page.foreign.samples === 0 && page.samples.length === 0) {
    throw invalid(`${source} answered with something that is not a metrics page. Is the path right?`);
  }
  const problems = incompleteness(page, { source, cutOff, headers: response.headers });
  return {
    state: 'read',
    source,
    declarations,
    rejections: rejections.slice(0, MAX_REJECTIONS),
    problems: [...brokenLines(page, source), ...problems],
    complete: page.brokenCount === 0 && rejections.length === 0 && problems.length === 0,
  };
}

function brokenLines(page: Exposition, source: string): readonly string[] {
  const told = page.broken.map((line) => `${source} line ${line.line} cannot be read: ${line.reason}.`);
  const more = page.brokenCount - MAX_BROKEN;
  return more > 0 ? [...told, `${source} has ${more} more lines that cannot be read.`] : told;
}

/** Signs that a page that looks good is not all that there is. */
function incompleteness(
  page: Exposition,
  options: { readonly source: string; readonly cutOff: boolean; readonly headers: Headers },
): readonly string[] {
  const { source, headers } = options;
  if (page.samples.length === 0 && page.foreign.samples === 0) return [`${source} is empty.`];
  const openMetrics = /openmetrics/i.test(headers.get('content-type') ?? '');
  if (openMetrics && !page.ended)
    return [`${source} does not end with # EOF, so a part of it may be missing.`];
  // Without a length and without chunks, the end of the page cannot be told from a broken connection.
  const endUnknown = !headers.has('content-length') && !headers.has('transfer-encoding');
  if (endUnknown && options.cutOff) return [`${source} ends within a line, so a part of it may be missing.`];
  return [];
}

function explain(
  error: unknown,
  context: { readonly source: string; readonly timeout: number; readonly timedOut: boolean },
): HabeasError {
  if (error instanceof HabeasError) return error;
  const { source } = context;
  if (context.timedOut)
    return failed(`${source} was not read to its end within ${context.timeout} ms.`, error);
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return failed(`${source} could not be reached, or the connection broke${code}.`, error);
}

function failed(message: string, cause?: unknown): HabeasError {
  return new HabeasError('SCRAPE_FAILED', message, { cause, retryable: true });
}

function invalid(message: string): HabeasError {
  return new HabeasError('EXPOSITION_INVALID', message, { retryable: true });
}
