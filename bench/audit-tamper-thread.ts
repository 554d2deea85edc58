/** A thread of the benchmark `audit-tamper`: changes receipts and verifies them. */
import { parentPort, workerData } from 'node:worker_threads';
import { parseTrust, verifyFile } from '../packages/server/src/audit/index.ts';
import { type ProvenReceipt, proveReceipt } from '../packages/server/test/proven-receipt.ts';
import { pathsOf, tamper } from '../packages/server/test/tamper.ts';
import { seededRandom } from './seeded-random.ts';

const { seed, count }: { readonly seed: number; readonly count: number } = workerData;
const random = seededRandom(seed);
const below = (limit: number) => Math.floor(random() * limit);

const own = await proveReceipt({ entries: 100_000, index: 70_000 });
/** Of the same key, another request; of another key, the same request: parts to splice in. */
const others = [
  await proveReceipt({ entries: 100_000, index: 70_001, key: own.key, request: 'req_2' }),
  await proveReceipt({ entries: 99_999, index: 70_000, key: own.key, request: 'req_3' }),
  await proveReceipt({ entries: 100_000, index: 70_000 }),
];
const trust = parseTrust(own.trust);
const paths = pathsOf(own.document);
const lines = own.document.log.proof.split('\n');

const ways: Readonly<Record<string, () => unknown>> = {
  letter: () =>
    tamper(own.document, paths[below(paths.length)] ?? [], {
      position: below(10_000),
      change: 1 + below(255),
    }),
  'proof line': () => withProof(editLines()),
  splice: () => splice(),
  byte: () => changedByte(),
};

/** Drops, repeats or swaps lines of the proof, or takes one from another proof. */
function editLines(): readonly string[] {
  const copy = [...lines];
  // The version, and the empty line at the end, stay.
  const at = 1 + below(copy.length - 2);
  const other = 1 + below(copy.length - 2);
  switch (below(4)) {
    case 0:
      return copy.toSpliced(at, 1);
    case 1:
      return copy.toSpliced(at, 0, copy[other] ?? '');
    case 2:
      return copy.with(at, copy[other] ?? '').with(other, copy[at] ?? '');
    default:
      return copy.with(at, others[below(3)]?.document.log.proof.split('\n')[at] ?? '');
  }
}

function withProof(changed: readonly string[]): unknown {
  return { ...own.document, log: { ...own.document.log, proof: changed.join('\n') } };
}

/** Puts parts of other proven receipts together with this one. */
function splice(): unknown {
  const from = (): ProvenReceipt['document'] => [own, ...others][below(4)]?.document ?? own.document;
  return {
    receipt: from().receipt,
    signature: from().signature,
    public_key: from().public_key,
    log: { entry: from().log.entry, proof: from().log.proof },
  };
}

/** One byte of the file as it is saved. */
function changedByte(): unknown {
  const bytes = Buffer.from(own.text);
  const at = below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 + below(255));
  return bytes.toString('utf8');
}

/** Documents that say exactly what one of the real ones says are no tamperings. */
const genuine = new Set([own, ...others.slice(0, 2)].map(({ document }) => JSON.stringify(sorted(document))));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

function saysSomethingElse(text: string): boolean {
  try {
    return !genuine.has(JSON.stringify(sorted(JSON.parse(text))));
  } catch {
    return true;
  }
}

let [tried, found] = [0, 0];
const kinds: Record<string, number> = {};
const names = Object.keys(ways);
while (tried < count) {
  const kind = names[below(names.length)] ?? 'letter';
  const made = ways[kind]?.();
  const text = typeof made === 'string' ? made : JSON.stringify(made);
  if (!saysSomethingElse(text)) continue;
  tried += 1;
  kinds[kind] = (kinds[kind] ?? 0) + 1;
  if (verifyFile({ text, trust }).verified)
    process.stderr.write(`verified although ${kind} was changed: ${text}\n`);
  else found += 1;
}
parentPort?.postMessage({ tried, found, kinds });
