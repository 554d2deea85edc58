import { createSHA256 } from 'hash-wasm';

/** SHA-256 whose state can be kept and gone on from, in another process too. One hash at a time. */
export interface ResumableHash {
  /**
   * Begins, or goes on from a state. Throws if the state was made by another version of the hash: what it belongs to has to
   * begin again.
   */
  begin(state?: string): void;
  update(bytes: Uint8Array): void;
  /** What `begin` goes on from, in base64. */
  state(): string;
  /** In hexadecimal. */
  digest(): string;
}

/** Has memory of its own, outside the heap; to be used again and again. */
export async function resumableHash(): Promise<ResumableHash> {
  const hash = await createSHA256();
  return {
    begin(state) {
      if (state === undefined) hash.init();
      else hash.load(Buffer.from(state, 'base64'));
    },
    update: (bytes) => void hash.update(bytes),
    state: () => Buffer.from(hash.save()).toString('base64'),
    digest: () => hash.digest('hex'),
  };
}
