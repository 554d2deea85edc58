import type { EmbeddedPostgres } from '../packages/server/src/foundation/index.ts';
import type { Part } from './failpoints/part.ts';
import type { Figure } from './figure.ts';

/** What a benchmark may use; everything in it is gone when the run ends. */
export interface Bench {
  /** Tells the person who waits what is being done; on standard error. */
  readonly say: (line: string) => void;
  /** An empty folder of its own. */
  folder(name: string): string;
  /** A durable PostgreSQL (fsync on) that all benchmarks of this run share. */
  postgres(): Promise<EmbeddedPostgres>;
  /** Decides everything that is drawn by chance. */
  readonly seed: number;
  /** How large the file of `parquet` is, about. */
  readonly megabytes: number;
  /** What of `failpoints` is tried. */
  readonly part: Part;
}

export interface Benchmark {
  readonly name: string;
  /** One line for the list. */
  readonly about: string;
  run(bench: Bench): Promise<readonly Figure[]>;
}
