import type { ReceiptView } from '@habeas/contract/api';
import { type Bytes, fromBase64, toBase64, toHex } from './bytes.ts';

/*
 * The same checks as habeas-verify.mjs, for a browser (WebCrypto): formats of RFC 6962 §2.1, RFC 9162 §2.1.3.2, C2SP signed-note,
 * tlog-checkpoint and tlog-proof, RFC 7515 appendix F, RFC 8785. A test compares the verdicts of both.
 */

export interface Check {
  readonly check: 'signature' | 'entry' | 'checkpoint' | 'inclusion';
  readonly holds: boolean;
}

interface TrustedKey {
  readonly name: string;
  readonly id: string;
  readonly publicKey: Bytes;
}

const utf8 = new TextEncoder();
const text = (value: string): Bytes => utf8.encode(value);

/** What holds of a receipt, by the keys of its log. Never throws for what the receipt holds. */
export async function verifyReceipt(view: ReceiptView, trust: string): Promise<readonly Check[]> {
  const bytes = text(canonicalJson(view.receipt));
  const keys = await trustedKeys(trust);
  const tree = await openProof(view, keys);
  const leaf = await leafOf(view, bytes);
  return [
    { check: 'signature', holds: await isSigned(view, bytes, keys) },
    { check: 'entry', holds: leaf !== undefined },
    { check: 'checkpoint', holds: tree !== undefined },
    { check: 'inclusion', holds: tree !== undefined && leaf !== undefined && (await isIn(leaf, tree)) },
  ];
}

export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

async function trustedKeys(trust: string): Promise<readonly TrustedKey[]> {
  const keys = [];
  for (const line of trust.split('\n')) {
    const [, name = '', id = '', key] =
      /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(line.trim()) ?? [];
    const bytes = fromBase64(key, 'base64');
    if (bytes?.length !== 33 || bytes[0] !== 1) continue;
    const publicKey = bytes.slice(1);
    const digest = await sha256(text(`${name}\n`), Uint8Array.of(1), publicKey);
    if (toHex(digest.slice(0, 4)) === id) keys.push({ name, id, publicKey });
  }
  return keys;
}

async function isSigned(
  { signature, public_key: told }: ReceiptView,
  bytes: Bytes,
  keys: readonly TrustedKey[],
) {
  const [header = '', payload, signed, ...rest] = signature.split('.');
  const signedBytes = fromBase64(signed, 'base64url');
  if (payload !== '' || rest.length > 0 || signedBytes === undefined) return false;
  const signing = text(`${header}.${toBase64(bytes, 'base64url')}`);
  for (const { publicKey } of keys) {
    if (!(await isSignedBy(publicKey, signing, signedBytes))) continue;
    const x = toBase64(publicKey, 'base64url');
    const thumbprint = await sha256(text(canonicalJson({ crv: 'Ed25519', kty: 'OKP', x })));
    const kid = toBase64(thumbprint, 'base64url');
    const jwk = { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' };
    return (
      header === toBase64(text(JSON.stringify({ alg: 'EdDSA', kid })), 'base64url') &&
      canonicalJson(told) === canonicalJson(jwk)
    );
  }
  return false;
}

/** The leaf of the log's entry, if it is about exactly this receipt. */
async function leafOf({ receipt, log }: ReceiptView, bytes: Bytes): Promise<Bytes | undefined> {
  if (log === null) return undefined;
  const { entry } = log;
  const own =
    entry.action === 'receipt.signed' &&
    entry.subject === receipt.request_id &&
    entry.organizationId === receipt.organization &&
    entry.details.sha256 === toHex(await sha256(bytes));
  return own ? sha256(Uint8Array.of(0), text(canonicalJson(entry))) : undefined;
}

interface Tree {
  readonly index: number;
  readonly hashes: readonly Bytes[];
  readonly size: number;
  readonly root: Bytes;
}

/** The proof's path and the tree of its checkpoint, if a trusted key of that log signed it. */
async function openProof({ log }: ReceiptView, keys: readonly TrustedKey[]): Promise<Tree | undefined> {
  const proof = log?.proof ?? '';
  const split = proof.indexOf('\n\n');
  const [version, ...lines] = proof.slice(0, split).split('\n');
  if (split < 0 || version !== 'c2sp.org/tlog-proof@v1') return undefined;
  if (lines[0]?.startsWith('extra ') === true) lines.shift();
  const index = numberOf(/^index (.+)$/.exec(lines.shift() ?? '')?.[1]);
  const hashes = lines.map((line) => fromBase64(line, 'base64'));
  const note = proof.slice(split + 2);
  const end = note.lastIndexOf('\n\n');
  if (index === undefined || end < 1 || !note.endsWith('\n')) return undefined;
  const signed = note.slice(0, end + 1);
  const [origin, size, root] = signed.slice(0, -1).split('\n');
  const tree = { index, hashes: hashes as Bytes[], size: numberOf(size), root: fromBase64(root, 'base64') };
  if (hashes.some((hash) => hash?.length !== 32) || tree.size === undefined || tree.root?.length !== 32)
    return undefined;
  const isTrusted = await isNoteSigned(signed, note.slice(end + 2, -1).split('\n'), { keys, origin });
  return isTrusted ? (tree as Tree) : undefined;
}

async function isNoteSigned(
  signed: string,
  lines: readonly string[],
  { keys, origin }: { readonly keys: readonly TrustedKey[]; readonly origin: string | undefined },
): Promise<boolean> {
  for (const line of lines.slice(0, 64)) {
    const [, name, encoded] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
    const bytes = fromBase64(encoded, 'base64');
    const key = keys.find(
      (one) => one.name === name && bytes !== undefined && one.id === toHex(bytes.slice(0, 4)),
    );
    if (key === undefined || bytes === undefined || key.name !== origin) continue;
    return isSignedBy(key.publicKey, text(signed), bytes.slice(4));
  }
  return false;
}

/** RFC 9162 §2.1.3.2. */
async function isIn(leaf: Bytes, { index, size, hashes, root }: Tree): Promise<boolean> {
  if (index >= size) return false;
  let [node, last, got] = [BigInt(index), BigInt(size) - 1n, leaf];
  for (const hash of hashes) {
    if (last === 0n) return false;
    if (node % 2n === 1n || node === last) {
      got = await sha256(Uint8Array.of(1), hash, got);
      while (node % 2n === 0n && node !== 0n) [node, last] = [node / 2n, last / 2n];
    } else {
      got = await sha256(Uint8Array.of(1), got, hash);
    }
    [node, last] = [node / 2n, last / 2n];
  }
  return last === 0n && toHex(got) === toHex(root);
}

async function isSignedBy(publicKey: Bytes, bytes: Bytes, signature: Bytes): Promise<boolean> {
  if (signature.length !== 64) return false;
  const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', key, signature, bytes);
}

async function sha256(...parts: readonly Bytes[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', await new Blob([...parts]).arrayBuffer()));
}

function numberOf(value: string | undefined): number | undefined {
  const number = /^(0|[1-9]\d{0,15})$/.test(value ?? '') ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}
