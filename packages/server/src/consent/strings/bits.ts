const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A string that somebody sent is not what its specification says; the text says why, and nothing of the string. */
export class MalformedString extends Error {}

/** Reads a bit string in base64url without padding, six bits a character (RFC 4648 §5), from its beginning. */
export class BitReader {
  readonly #values: readonly number[];
  #at = 0;

  /** Throws {@link MalformedString}. */
  constructor(text: string) {
    this.#values = Array.from(text, (character) => ALPHABET.indexOf(character));
    if (text === '' || this.#values.includes(-1))
      throw new MalformedString('a part is empty or no base64url');
  }

  get left(): number {
    return this.#values.length * 6 - this.#at;
  }

  /** The next bits as a whole number. Throws {@link MalformedString} at the end. */
  int(bits: number): number {
    let value = 0;
    for (let count = 0; count < bits; count += 1) value = value * 2 + this.#bit();
    return value;
  }

  flag(): boolean {
    return this.#bit() === 1;
  }

  /** The places, from 1, of the bits that are set. */
  set(bits: number): Set<number> {
    const found = new Set<number>();
    for (let place = 1; place <= bits; place += 1) if (this.flag()) found.add(place);
    return found;
  }

  #bit(): number {
    const value = this.#values[Math.floor(this.#at / 6)];
    if (value === undefined) throw new MalformedString('a part is too short');
    const bit = (value >> (5 - (this.#at % 6))) & 1;
    this.#at += 1;
    return bit;
  }
}

/** The opposite of {@link BitReader}. */
export class BitWriter {
  #bits: number[] = [];

  int(value: number, bits: number): this {
    for (let place = bits - 1; place >= 0; place -= 1) this.#bits.push(Math.floor(value / 2 ** place) % 2);
    return this;
  }

  flag(value: boolean): this {
    return this.int(value ? 1 : 0, 1);
  }

  set(values: ReadonlySet<number>, bits: number): this {
    for (let place = 1; place <= bits; place += 1) this.flag(values.has(place));
    return this;
  }

  toString(): string {
    const bits = [...this.#bits];
    while (bits.length % 6 !== 0) bits.push(0);
    let text = '';
    for (let at = 0; at < bits.length; at += 6)
      text += ALPHABET[bits.slice(at, at + 6).reduce((sum, bit) => sum * 2 + bit, 0)];
    return text;
  }
}
