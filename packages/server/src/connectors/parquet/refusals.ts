import { HabeasError } from '../../foundation/index.ts';

/** What cannot be so in a Parquet file: it is torn, damaged, or something else. The file is left as it is. */
export function damaged(found: string, cause?: unknown): HabeasError {
  return new HabeasError(
    'SYSTEM_FAILED',
    `A Parquet file cannot be read: ${found}. It was left as it is; write it anew, or remove it.`,
    cause === undefined ? {} : { cause },
  );
}

/** What a Parquet file may be, and this reader is not made for. The file is left as it is. */
export function unsupported(found: string): HabeasError {
  return new HabeasError(
    'SYSTEM_FAILED',
    `A Parquet file has ${found}, which Habeas does not change. It was left as it is; write it anew without that.`,
  );
}
