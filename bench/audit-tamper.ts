import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';

const TAMPERINGS = 1_000_000;

/** Whether a receipt that was changed in any way is ever verified. */
export const auditTamper: Benchmark = {
  name: 'audit-tamper',
  about: `change proven receipts in ${TAMPERINGS.toLocaleString('en')} random ways`,
  async run(bench) {
    const threads = availableParallelism();
    const share = Math.ceil(TAMPERINGS / threads);
    bench.say(`${threads} threads, ${share.toLocaleString('en')} changes each; this takes minutes`);
    const started = performance.now();
    const results = await Promise.all(
      Array.from({ length: threads }, (_, thread) =>
        tamperInThread({ seed: bench.seed + thread, count: share }),
      ),
    );
    const seconds = (performance.now() - started) / 1_000;
    const tried = results.reduce((sum, result) => sum + result.tried, 0);
    const found = results.reduce((sum, result) => sum + result.found, 0);
    return [
      judge({
        name: 'audit-tamper',
        value: found,
        unit: 'changes',
        baseline: tried,
        goal: { exactly: { ratio: 1 } },
        measured:
          'random changes of a receipt, its signature, its entry or its proof that are found when it is verified',
        against: 'the changes that were made',
        notes: [
          `${Math.round(tried / seconds).toLocaleString('en')} a second; how they were made: ${Object.entries(
            results[0]?.kinds ?? {},
          )
            .map(([kind, count]) => `${kind} ${count.toLocaleString('en')} in the first thread`)
            .join(', ')}`,
        ],
      }),
    ];
  },
};

interface Tampered {
  readonly tried: number;
  readonly found: number;
  /** How many of each way. */
  readonly kinds: Readonly<Record<string, number>>;
}

function tamperInThread(data: { readonly seed: number; readonly count: number }): Promise<Tampered> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./audit-tamper-thread.ts', import.meta.url), { workerData: data });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`A thread ended with ${code} before it was done.`)));
  });
}
