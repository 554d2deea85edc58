const LETTER = /^[\p{L}\p{N}\p{M}_]/u;
/** Characters that join two words to one value: a mailbox, a host name, a tag behind a plus. */
const JOINERS: ReadonlySet<number> = new Set(Buffer.from('.-+@'));
const ESCAPES: ReadonlySet<number> = new Set(Buffer.from('nrtbf'));

/**
 * Whether a value that begins at `at` begins there for certain: what stands before it is no part of a longer value. `joan@example.com` and
 * `mary.ann@example.com` are not `ann@example.com`; a line's end, a quote, `=` or an escape before it are no part of it.
 */
export function beginsAt(bytes: Buffer, at: number, own: ReadonlySet<number>): boolean {
  const before = bytes[at - 1];
  if (before === undefined) return true;
  if (isJoiner(before, own)) return !isWordBefore(bytes, at - 1);
  return !isWordBefore(bytes, at);
}

/** Whether a value that ends before `end` ends there for certain: `ann@example.com.` may end a sentence, `ann@example.com.au` is another one. */
export function endsAt(bytes: Buffer, end: number, own: ReadonlySet<number>): boolean {
  const after = bytes[end];
  if (after === undefined) return true;
  if (isJoiner(after, own)) return !isWordAt(bytes, end + 1);
  return !isWordAt(bytes, end);
}

/** Whether a byte belongs to words in a way that something has to be looked at beside it. */
export function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (
    (byte >= 48 && byte <= 57) ||
    (byte >= 65 && byte <= 90) ||
    (byte >= 97 && byte <= 122) ||
    byte === 95 ||
    byte >= 128
  );
}

function isJoiner(byte: number, own: ReadonlySet<number>): boolean {
  return JOINERS.has(byte) || own.has(byte);
}

function isWordAt(bytes: Buffer, at: number): boolean {
  const byte = bytes[at];
  if (byte === undefined || byte < 128) return isWordByte(byte);
  return isLetter(bytes.subarray(at, at + 4));
}

function isWordBefore(bytes: Buffer, at: number): boolean {
  const byte = bytes[at - 1];
  if (byte === undefined || !isWordByte(byte)) return false;
  if (byte < 128) return !endsEscape(bytes, at);
  let start = at - 1;
  while (start > 0 && start > at - 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return isLetter(bytes.subarray(start, at));
}

/** What is not UTF-8 is a letter of Latin-1 from 0xC0 on, and its punctuation below. */
function isLetter(bytes: Buffer): boolean {
  const text = bytes.toString('utf8');
  return text.startsWith('\uFFFD') ? (bytes[0] ?? 0) >= 0xc0 : LETTER.test(text);
}

/** `\n`, `%3D` and `\u003d` end in letters and are none. */
function endsEscape(bytes: Buffer, at: number): boolean {
  if (bytes[at - 2] === 92 && ESCAPES.has(bytes[at - 1] ?? 0)) return true;
  const text = bytes.toString('latin1', Math.max(0, at - 6), at);
  return /(%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})$/.test(text);
}
