import { parentPort } from 'node:worker_threads';
import snappy from 'snappy';

/** What a thread is asked for. */
export interface SnappyTask {
  readonly id: number;
  readonly kind: 'pack' | 'unpack';
  readonly bytes: Uint8Array;
}

/** Without bytes, the reason why there are none. */
export interface SnappyAnswer {
  readonly id: number;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly error?: string;
}

const OPTIONS = { asBuffer: true, copyOutputData: true } as const;

parentPort?.on('message', ({ id, kind, bytes }: SnappyTask) => {
  try {
    const made =
      kind === 'pack' ? snappy.compressSync(bytes, OPTIONS) : snappy.uncompressSync(bytes, OPTIONS);
    const answer = made as Buffer<ArrayBuffer>;
    parentPort?.postMessage({ id, bytes: answer } satisfies SnappyAnswer, [answer.buffer]);
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) } satisfies SnappyAnswer);
  }
});
