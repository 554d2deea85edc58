import { createHash } from 'node:crypto';
import { canonicalJson } from '../src/audit/index.ts';
import { leafHashOf } from '../src/audit/merkle.ts';
import { checkpointText, proofText, signNote, verifierKey } from '../src/audit/note.ts';
import { inclusionSubtrees } from '../src/audit/subtrees.ts';
import { appendToTiles, rootOf } from '../src/audit/tiles.ts';
import { type LogKey, newLogKey } from './log-key.ts';

export interface ProvenReceipt {
  readonly key: LogKey;
  readonly trust: string;
  readonly checkpoint: string;
  readonly document: {
    readonly receipt: Readonly<Record<string, unknown>>;
    readonly signature: string;
    readonly public_key: Readonly<Record<string, unknown>>;
    readonly log: { readonly entry: Readonly<Record<string, unknown>>; readonly proof: string };
  };
  /** The document as it is saved. */
  readonly text: string;
}

const ORIGIN = 'acme.example/audit';

/** A receipt as a server gives it out, with the proof from a log in memory. */
export async function proveReceipt(options: {
  readonly entries: number;
  /** Where the receipt's entry is in the log. */
  readonly index: number;
  readonly key?: LogKey;
  readonly request?: string;
}): Promise<ProvenReceipt> {
  const { entries, index, key = newLogKey(), request = 'req_1' } = options;
  const receipt = {
    version: 2,
    salt: 'c2FsdHNhbHRzYWx0c2FsdA',
    organization: 'acme',
    request_id: request,
    right: 'erasure',
    dry_run: false,
    state: 'completed',
    received_at: '2026-11-20T08:00:00.000Z',
    completed_at: '2026-11-21T08:00:00.000Z',
    plan_hash: 'ab'.repeat(32),
    policy_version: '1',
    systems: [
      {
        system: 'shop',
        tasks: [],
        counts: { customers: 1, orders: 3 },
        verified_at: '2026-11-21T07:59:59.000Z',
        assurance: 'verified',
      },
    ],
    retained: [
      {
        system: 'shop',
        collection: 'invoices',
        count: 2,
        reason: 'Tax law',
        until: '2036-12-31T00:00:00.000Z',
      },
    ],
    residuals: [],
    audit_leaf_hashes: ['cd'.repeat(32)],
  };
  const payload = Buffer.from(canonicalJson(receipt));
  const { signature, publicKey } = await key.signReceipt('acme', payload);
  const entry = {
    action: 'receipt.signed',
    actor: 'system',
    at: '2026-11-21T08:00:01.000Z',
    details: { sha256: createHash('sha256').update(payload).digest('hex') },
    id: 'aud_06a1b2c3d4e5f6g7h8j9k0m1n2',
    organizationId: 'acme',
    subject: request,
  };
  const leaves = Array.from({ length: entries }, (_, at) =>
    leafHashOf(Buffer.from(at === index ? canonicalJson(entry) : `entry ${at}`)),
  );
  const tiles = appendToTiles({ size: 0, find: () => undefined, leaves: Buffer.concat(leaves) });
  const found = new Map(tiles.map(({ level, number, hashes }) => [`${level}/${number}`, hashes]));
  const root = (subtree: { readonly start: number; readonly end: number }) =>
    rootOf(subtree, ({ level, number }) => found.get(`${level}/${number}`));
  const text = checkpointText(ORIGIN, entries, root({ start: 0, end: entries }));
  const checkpoint = await signNote(text, ORIGIN, key.sign);
  const proof = proofText({ index, hashes: inclusionSubtrees(index, entries).map(root), checkpoint });
  const document = { receipt, signature, public_key: publicKey, log: { entry, proof } };
  return {
    key,
    trust: `${verifierKey(ORIGIN, key.publicKey)}\n`,
    checkpoint,
    document,
    text: `${JSON.stringify(document, null, 2)}\n`,
  };
}
