import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The type of a column, as the tests' Python program reads it. */
export type Shape =
  | { readonly kind: string; readonly nullable: boolean }
  | { readonly kind: 'list' | 'map'; readonly of: Shape; readonly nullable: boolean }
  | { readonly kind: 'struct'; readonly of: readonly Shape[]; readonly nullable: boolean };

/** A file with a column `who`, `person0@mail.example` and so on, and columns `c0`, `c1`… of these types. */
export interface WrittenFile {
  readonly path: string;
  readonly columns: readonly Shape[];
  readonly rows: number;
  /** How many are in it, by chance. */
  readonly people: number;
  /** The same makes the same values. */
  readonly seed: number;
  /** Of `pyarrow.parquet.write_table`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Apache Arrow's own implementation of Parquet (pyarrow, from PyPI), in a process of its own. */
export interface Pyarrow extends AsyncDisposable {
  /** False: pyarrow cannot read what it wrote. */
  write(file: WrittenFile): Promise<boolean>;
  /** What is wrong with a file that has to be another one without the rows of these people. */
  compare(files: {
    readonly old: string;
    readonly new: string;
    readonly gone: readonly string[];
  }): Promise<{ readonly wrong: readonly string[]; readonly rows: number }>;
}

export function startPyarrow(python: string): Pyarrow {
  const child = spawn(python, [join(import.meta.dirname, 'parquet-of-arrow.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (task: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(task)}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error('pyarrow ended.');
    const answer = JSON.parse(value) as { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`pyarrow: ${answer.error}`);
    return answer;
  };
  return {
    async write(file) {
      const { isReadable } = (await ask({ do: 'write', ...file })) as { readonly isReadable: boolean };
      return isReadable;
    },
    compare: (files) => ask({ do: 'compare', ...files }) as ReturnType<Pyarrow['compare']>,
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
    },
  };
}
