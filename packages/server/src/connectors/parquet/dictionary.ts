import { codecOf, type Packer, unpackPage } from './codecs.ts';
import { ENCODING, readValues } from './encodings.ts';
import { type Chunk, COLUMN } from './footer.ts';
import { changedPage, DICTIONARY, type Page } from './page.ts';
import { type PlainValues, plainValues } from './plain-values.ts';
import { damaged, unsupported } from './refusals.ts';

/** The values of a dictionary page. */
export async function readDictionary(page: Page, { metadata, leaf }: Chunk): Promise<PlainValues> {
  const count = page.about.int(DICTIONARY.values) ?? -1;
  const encoding = page.about.int(DICTIONARY.encoding);
  if (encoding !== ENCODING.plain && encoding !== ENCODING.plainDictionary)
    throw unsupported('a dictionary in an encoding that is not known');
  if (count < 0 || count > page.unpacked * 8) throw damaged('a dictionary says that it has too many values');
  const bytes = await unpackPage(codecOf(metadata.int(COLUMN.codec)), page.body, page.unpacked);
  return readValues(ENCODING.plain, bytes, { count, leaf });
}

/** The dictionary page with other values. */
export async function writeDictionary(
  page: Page,
  values: PlainValues,
  { isMoved, packer }: { readonly isMoved: boolean; readonly packer: Packer },
): Promise<Page> {
  const about = page.about.copy().set(DICTIONARY.values, 'i32', values.count);
  if (isMoved && about.has(DICTIONARY.isSorted)) about.setBool(DICTIONARY.isSorted, false);
  const former = { packed: page.body.length, unpacked: page.unpacked };
  const body = await packer.pack([values.data], former);
  return changedPage(page, { about, body, unpacked: values.data.length });
}

/** What becomes of a dictionary when entries are no longer used: the last ones that are take their places, so that few numbers change. */
export class DictionaryChange {
  readonly #old: PlainValues;
  readonly #chunk: Chunk;
  readonly #added: Buffer[] = [];
  readonly #numbers = new Map<string, number>();
  #used: Uint8Array;

  constructor(old: PlainValues, chunk: Chunk) {
    this.#old = old;
    this.#chunk = chunk;
    this.#used = new Uint8Array(old.count);
  }

  value(index: number): Buffer {
    return this.#added[index - this.#old.count] ?? this.#old.at(index);
  }

  /** The number of an entry that has this value, which is added if there is none. */
  numberOf(value: Buffer): number {
    if (this.#numbers.size === 0 && this.#old.count > 0)
      for (let index = 0; index < this.#old.count; index += 1)
        this.#numbers.set(this.value(index).toString('latin1'), index);
    const text = value.toString('latin1');
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#old.count + this.#added.push(value) - 1;
    this.#numbers.set(text, number);
    const used = new Uint8Array(number + 1);
    used.set(this.#used);
    this.#used = used;
    return number;
  }

  use(indices: Uint32Array): void {
    const used = this.#used;
    for (let at = 0; at < indices.length; at += 1) used[indices[at] as number] = 1;
  }

  /** What is left when every index that stays was told to `use`. */
  result(): ChangedDictionary {
    const used = this.#used;
    const size = used.reduce((sum, one) => sum + one, 0);
    const hasLost = this.#old.count > 0 && used.subarray(0, this.#old.count).includes(0);
    const moves = new Map<number, number>();
    let hole = 0;
    for (let index = size; index < used.length; index += 1) {
      if (used[index] === 0) continue;
      while (used[hole] === 1) hole += 1;
      moves.set(index, hole);
      hole += 1;
    }
    if (!hasLost && this.#added.length === 0) return { values: this.#old, moves, hasLost, isSame: true };
    const places = new Map([...moves].map(([from, to]) => [to, from]));
    const items = Array.from({ length: size }, (_, place) => this.value(places.get(place) ?? place));
    return { values: plainValues(items, this.#chunk.leaf), moves, hasLost, isSame: false };
  }
}

export interface ChangedDictionary {
  readonly values: PlainValues;
  /** Entries that have another number now. */
  readonly moves: ReadonlyMap<number, number>;
  /** A value that it had is gone. */
  readonly hasLost: boolean;
  readonly isSame: boolean;
}

/** The same entries by their new numbers; the same array where none has moved. */
export function movedIndices(indices: Uint32Array, moves: ReadonlyMap<number, number>): Uint32Array {
  if (moves.size === 0) return indices;
  // They were found in order.
  const [least = 0] = moves.keys();
  if (!indices.some((index) => index >= least && moves.has(index))) return indices;
  return indices.map((index) => (index >= least ? (moves.get(index) ?? index) : index));
}
