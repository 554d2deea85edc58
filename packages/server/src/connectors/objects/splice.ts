/** Bytes of a file, and what takes their place. */
export interface Splice {
  /** From the beginning of the file, unpacked. */
  readonly from: number;
  readonly to: number;
  /** Empty: they go. */
  readonly by: Buffer;
}

/** A file with some of its bytes replaced. Splices are in order and do not overlap. */
export async function* spliced(
  parts: AsyncIterable<Buffer>,
  splices: readonly Splice[],
): AsyncGenerator<Buffer> {
  let at = 0;
  let next = 0;
  for await (const part of parts) {
    const end = at + part.length;
    let done = at;
    for (let splice = splices[next]; splice !== undefined && splice.from < end; splice = splices[next]) {
      if (splice.from > done) yield part.subarray(done - at, splice.from - at);
      // What begins in this part is put in once; what began before is only left out.
      if (splice.from >= at && splice.by.length > 0) yield splice.by;
      done = Math.min(splice.to, end);
      if (splice.to > end) break;
      next += 1;
    }
    if (done < end) yield part.subarray(done - at);
    at = end;
  }
}
