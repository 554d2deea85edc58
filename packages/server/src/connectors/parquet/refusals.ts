/** Why a Parquet file cannot be read or changed, as a sentence for people. It is left as it is. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** What cannot be so in a Parquet file: it is torn, damaged, or something else. */
export function damaged(found: string, cause?: unknown): Refusal {
  return new Refusal(
    `A Parquet file cannot be read: ${found}. It was left as it is; write it anew, or remove it.`,
    cause === undefined ? {} : { cause },
  );
}

/** What a Parquet file may be, and this reader is not made for. */
export function unsupported(found: string): Refusal {
  return new Refusal(
    `A Parquet file has ${found}, which Habeas does not change. It was left as it is; write it anew without that.`,
  );
}
