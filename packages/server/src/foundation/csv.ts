/**
 * One cell after RFC 4180. A text that a spreadsheet would run as a formula (it starts with = + - @, a tab or a carriage
 * return) gets a leading apostrophe, as OWASP's "CSV injection" page advises; numbers stay numbers.
 */
export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) || harmless !== harmless.trim()
    ? `"${harmless.replaceAll('"', '""')}"`
    : harmless;
}

/** One line with its end (CR LF). */
export function csvLine(cells: readonly unknown[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/** Where a reader is in comma-separated values: whether a line feed there ends a row. */
export interface QuoteState {
  isQuoted: boolean;
  /** A cell begins. */
  isAtStart: boolean;
  /** The byte before closed a quote: another one there is a quote in the cell. */
  hasJustClosed: boolean;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;

export function quoteState(): QuoteState {
  return { isQuoted: false, isAtStart: true, hasJustClosed: false };
}

/** Takes the next byte, or UTF-16 unit. A quote means something only where a cell begins, and until it is closed (RFC 4180). */
export function stepQuote(state: QuoteState, code: number): void {
  if (state.isQuoted) {
    if (code !== QUOTE) return;
    state.isQuoted = false;
    state.hasJustClosed = true;
    return;
  }
  if (code === QUOTE && (state.isAtStart || state.hasJustClosed)) {
    state.isQuoted = true;
    state.isAtStart = false;
  } else state.isAtStart = code === COMMA || code === LINE_FEED;
  state.hasJustClosed = false;
}
