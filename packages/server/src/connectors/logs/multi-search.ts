/**
 * Finds where any of many byte strings stands, without regard to the case of ASCII letters, in one pass. Four bytes decide how far it is
 * to the next place where one of them could end, so that most bytes are never looked at (Wu and Manber, 1994):
 *
 *     … [ 1 2 3 4 5 6 | w x y z ] …     shift(wxyz): 0 where a needle's first bytes end so, up to the length otherwise
 *
 * A needle of less than four bytes is looked for by itself.
 */
export class MultiSearch {
  readonly #needles: readonly Buffer[];
  readonly #short: readonly number[];
  /** The first bytes that all long needles have. */
  readonly #window: number;
  readonly #shifts = new Uint8Array(1 << HASH_BITS);
  /** Whether a needle's window begins and ends with blocks of these hashes: most places are given up here. */
  readonly #windows = new Uint8Array(1 << HASH_BITS);
  readonly #buckets = new Map<number, number[]>();

  constructor(needles: readonly Buffer[]) {
    this.#needles = needles.map(folded);
    const all = needles.map((_, index) => index);
    this.#short = all.filter((index) => (needles[index]?.length ?? 0) < BLOCK);
    const long = all.filter((index) => (needles[index]?.length ?? 0) >= BLOCK);
    this.#window = Math.min(MOST_WINDOW, ...long.map((index) => needles[index]?.length ?? 0));
    this.#shifts.fill(this.#window - BLOCK + 1);
    for (const index of long) this.#add(index, this.#needles[index] ?? Buffer.alloc(0));
  }

  /** Calls `found` with each place, from the left for each needle: the needle's index and where it begins. */
  search(bytes: Buffer, found: (needle: number, at: number) => void): void {
    if (this.#buckets.size > 0) this.#searchLong(bytes, found);
    for (const index of this.#short) this.#searchShort(bytes, index, found);
  }

  #add(index: number, needle: Buffer): void {
    for (let end = BLOCK; end <= this.#window; end += 1) {
      const hash = hashAt(needle, end - BLOCK);
      const shift = this.#window - end;
      if (shift < (this.#shifts[hash] ?? 0)) this.#shifts[hash] = shift;
      if (shift > 0) continue;
      this.#windows[hash ^ hashAt(needle, 0)] = 1;
      const bucket = this.#buckets.get(hash);
      if (bucket === undefined) this.#buckets.set(hash, [index]);
      else bucket.push(index);
    }
  }

  #searchLong(bytes: Buffer, found: (needle: number, at: number) => void): void {
    const shifts = this.#shifts;
    const windows = this.#windows;
    const before = this.#window - BLOCK;
    const end = bytes.length - BLOCK;
    for (let at = before; at <= end; ) {
      const hash = hashAt(bytes, at);
      const shift = shifts[hash] as number;
      if (shift > 0) {
        at += shift;
        continue;
      }
      const start = at - before;
      if (windows[hash ^ hashAt(bytes, start)] === 1) {
        for (const index of this.#buckets.get(hash) ?? [])
          if (this.#isAt(bytes, start, index)) found(index, start);
      }
      at += 1;
    }
  }

  #searchShort(bytes: Buffer, index: number, found: (needle: number, at: number) => void): void {
    const [first] = this.#needles[index] ?? [];
    if (first === undefined) return;
    const upper = first >= 97 && first <= 122 ? first - 32 : first;
    for (const byte of new Set([first, upper])) {
      for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1))
        if (this.#isAt(bytes, at, index)) found(index, at);
    }
  }

  #isAt(bytes: Buffer, start: number, index: number): boolean {
    const needle = this.#needles[index];
    if (needle === undefined || start + needle.length > bytes.length) return false;
    for (let offset = 0; offset < needle.length; offset += 1) {
      const byte = bytes[start + offset] ?? 0;
      if ((byte >= 65 && byte <= 90 ? byte | 32 : byte) !== needle[offset]) return false;
    }
    return true;
  }
}

const BLOCK = 4;
const MOST_WINDOW = 32;
const HASH_BITS = 18;
/** Sets the bit in which upper and lower case differ; what else becomes equal is told apart afterwards. */
const CASE = 0x20202020;

function hashAt(bytes: Buffer, at: number): number {
  const word =
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24) |
    CASE;
  return Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
}

function folded(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => (byte >= 65 && byte <= 90 ? byte | 32 : byte)));
}
