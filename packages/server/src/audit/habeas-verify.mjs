#!/usr/bin/env node
// Verifies what Habeas proves: a receipt of a finished request or of a job, or that the audit log only grew. Needs Node 18 or later and
// nothing else: no package, no server, no network.
//
//   node habeas-verify.mjs receipt.json TRUST
//   node habeas-verify.mjs consistency.json TRUST --since earlier-checkpoint.txt
//
// TRUST is a file with the log's verifier keys, one a line, or one such key: `name+id+base64`, as `habeas audit key` prints it.
// `--json` prints the verdict for programs. Exit code: 0 verified, 1 not verified, 2 wrong call.
//
// Formats: RFC 6962 §2.1 (tree), C2SP signed-note, tlog-checkpoint and tlog-proof (v1), RFC 7515 appendix F (detached
// signature), RFC 8785 (canonical JSON), RFC 8032 (Ed25519).
import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Why something does not prove what it should; the text says it to a person. */
export class NotVerified extends Error {}

function insist(holds, text) {
  if (!holds) throw new NotVerified(text);
}

const sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leafHash = (entry) => sha256(Buffer.of(0), entry);
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);

/** JSON with sorted keys and no white space (RFC 8785). */
export function canonicalJson(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${members.join(',')}}`;
}

/** Bytes of a text in this base64, of which each byte string has one spelling only; undefined for any other spelling. */
function decoded(text, encoding) {
  if (typeof text !== 'string') return undefined;
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : undefined;
}

function numberOf(text) {
  const value = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

// --- Keys and signed notes ---

/**
 * The keys of a trust file: verifier keys `name+id+base64`, one a line; empty lines and those that begin with # are skipped.
 * Throws NotVerified for a line that is none, and for a file without keys.
 */
export function parseTrust(text) {
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseVerifierKey);
  insist(keys.length > 0, 'there is no verifier key to trust');
  return keys;
}

function parseVerifierKey(line) {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(line);
  const bytes = decoded(match?.[3], 'base64');
  insist(
    match !== null && bytes?.length === 33 && bytes[0] === 1,
    'a verifier key has the form name+id+base64 (Ed25519)',
  );
  const [, name, id] = match;
  const publicKey = bytes.subarray(1);
  insist(
    keyIdOf(name, publicKey).toString('hex') === id,
    `the id of the verifier key of ${name} does not fit the key`,
  );
  return { name, id, publicKey };
}

/** First four bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ public key) (C2SP signed-note). */
export function keyIdOf(name, publicKey) {
  return sha256(`${name}\n`, Buffer.of(1), publicKey).subarray(0, 4);
}

const keys = new WeakMap();

function keyOf(publicKey) {
  const known = keys.get(publicKey);
  if (known !== undefined) return known;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') };
  const key = createPublicKey({ format: 'jwk', key: jwk });
  keys.set(publicKey, key);
  return key;
}

function isSignedBy(publicKey, bytes, signature) {
  return signature.length === 64 && verify(null, bytes, keyOf(publicKey), signature);
}

/** The text of a signed note, and the trusted key that signed it. Throws NotVerified if none did. */
export function openNote(note, trust) {
  const end = note.lastIndexOf('\n\n');
  insist(end > 0 && note.endsWith('\n') && !/[^\P{Cc}\n]/u.test(note), 'this is not a signed note');
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split('\n');
  insist(lines.length <= 64, 'the note has too many signatures');
  let signer;
  for (const line of lines) {
    const match = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
    const bytes = decoded(match?.[2], 'base64');
    insist(match !== null && bytes !== undefined && bytes.length > 4, 'a signature of the note is malformed');
    const id = bytes.subarray(0, 4).toString('hex');
    const key = trust.find((trusted) => trusted.name === match[1] && trusted.id === id);
    if (key === undefined) continue;
    insist(
      isSignedBy(key.publicKey, Buffer.from(text), bytes.subarray(4)),
      `the signature of ${key.name} is not over this text`,
    );
    insist(signer !== key, `${key.name} signed the note twice`);
    signer ??= key;
  }
  insist(signer !== undefined, 'no trusted key signed the checkpoint');
  return { text, signer };
}

/** The tree that a checkpoint names, if a trusted key of that log signed it. Throws NotVerified otherwise. */
export function openCheckpoint(note, trust) {
  const { text, signer } = openNote(note, trust);
  const [origin, size, root, ...rest] = text.slice(0, -1).split('\n');
  const checkpoint = { origin, size: numberOf(size ?? ''), root: decoded(root, 'base64'), signer };
  insist(
    rest.every((line) => line !== '') && checkpoint.size !== undefined && checkpoint.root?.length === 32,
    'the note is not a checkpoint',
  );
  insist(origin === signer.name, `the checkpoint is of ${origin} and signed for ${signer.name}`);
  return checkpoint;
}

// --- Proofs ---

/** Reads a proof of C2SP tlog-proof: the index, the hashes and the checkpoint as it stands there. */
export function parseProof(text) {
  const split = text.indexOf('\n\n');
  insist(split > 0, 'this is not a proof of a log');
  const [version, ...lines] = text.slice(0, split).split('\n');
  insist(version === 'c2sp.org/tlog-proof@v1', 'the proof has another format than c2sp.org/tlog-proof@v1');
  if (lines[0]?.startsWith('extra ')) lines.shift();
  const [first, ...rest] = lines;
  const index = numberOf(/^index (.+)$/.exec(first ?? '')?.[1] ?? '');
  insist(index !== undefined, 'the proof has no index');
  return { index, hashes: hashesOf(rest), checkpoint: text.slice(split + 2) };
}

function hashesOf(lines) {
  return lines.map((line) => {
    const bytes = decoded(line, 'base64');
    insist(bytes?.length === 32, 'a hash of the proof is malformed');
    return bytes;
  });
}

/** Root of the tree that has the entry with this hash at this index (RFC 9162 §2.1.3.2); undefined: the path does not fit. */
export function rootFromInclusion({ leaf, index, size, hashes }) {
  if (index >= size) return undefined;
  let [node, last, root] = [BigInt(index), BigInt(size) - 1n, leaf];
  for (const hash of hashes) {
    if (last === 0n) return undefined;
    if (node % 2n === 1n || node === last) {
      root = nodeHash(hash, root);
      while (node % 2n === 0n && node !== 0n) [node, last] = [node / 2n, last / 2n];
    } else {
      root = nodeHash(root, hash);
    }
    [node, last] = [node / 2n, last / 2n];
  }
  return last === 0n ? root : undefined;
}

/** Whether a tree is the beginning of another one (RFC 9162 §2.1.4.2). Both are `{ size, root }`. */
export function isBeginningOf(from, to, hashes) {
  if (from.size > to.size) return false;
  if (from.size === to.size) return hashes.length === 0 && from.root.equals(to.root);
  // Nothing is the beginning of everything; its root is SHA-256 of nothing.
  if (from.size === 0) return hashes.length === 0 && from.root.equals(sha256());
  let [node, last] = [BigInt(from.size) - 1n, BigInt(to.size) - 1n];
  while (node % 2n === 1n) [node, last] = [node / 2n, last / 2n];
  const path = [...hashes];
  // A complete old tree is a node of the new one, and its root need not be told.
  const seed = node === 0n ? from.root : path.shift();
  if (seed === undefined) return false;
  let [old, all] = [seed, seed];
  for (const hash of path) {
    if (last === 0n) return false;
    if (node % 2n === 1n || node === last) {
      [old, all] = [nodeHash(hash, old), nodeHash(hash, all)];
      while (node % 2n === 0n && node !== 0n) [node, last] = [node / 2n, last / 2n];
    } else {
      all = nodeHash(all, hash);
    }
    [node, last] = [node / 2n, last / 2n];
  }
  return last === 0n && old.equals(from.root) && all.equals(to.root);
}

// --- Verdicts ---

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new NotVerified('the file is not JSON');
  }
}

function hasMembers(value, members) {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).sort().join() === members.join()
  );
}

/** Text on one line, without characters that steer a terminal: files come from anybody. */
function plain(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 300);
}

/** One line of a verdict for each look: what was looked at, whether it holds, and what was found. */
function looks() {
  const checks = [];
  return {
    checks,
    look(check, find) {
      try {
        const { text, ...found } = find();
        checks.push({ check, holds: true, text: plain(text) });
        return found;
      } catch (error) {
        if (!(error instanceof NotVerified)) throw error;
        checks.push({ check, holds: false, text: plain(error.message) });
        return undefined;
      }
    },
  };
}

/**
 * Whether a receipt, the text of `habeas request receipt ID --json`, is what the log holds. `trust` is what {@link parseTrust} gave.
 * Never throws for what the text holds: what does not hold is a line of the verdict.
 */
export function verifyReceipt(text, trust) {
  const { checks, look } = looks();
  const found = look('document', () => {
    const document = parsed(text);
    insist(hasMembers(document, ['log', 'public_key', 'receipt', 'signature']), 'the file is not a receipt');
    const { receipt } = document;
    insist(
      typeof subjectOf(receipt) === 'string' && typeof receipt.organization === 'string',
      'the file is not a receipt',
    );
    const bytes = Buffer.from(canonicalJson(receipt));
    const told = toldOf(receipt);
    return { text: told, document, bytes };
  });
  if (found !== undefined) {
    const { document, bytes } = found;
    look('signature', () => checkSignature(document, bytes, trust));
    const logged = look('entry', () => checkEntry(document, bytes));
    const tree = look('checkpoint', () => checkProof(document, trust));
    look('inclusion', () => {
      insist(
        logged !== undefined && tree !== undefined,
        'cannot be looked at without the entry and the checkpoint',
      );
      return checkInclusion(logged.leaf, tree);
    });
  }
  return { kind: 'receipt', verified: checks.every(({ holds }) => holds), checks };
}

function toldOf(receipt) {
  if (receipt.consent_receipt_id !== undefined)
    return `receipt of ${receipt.consent_receipt_id}: what a person said under ${receipt.record?.['dpv:hasRecordOfActivity']?.['dct:identifier']}`;
  return receipt.job_run_id === undefined
    ? `receipt of ${receipt.request_id}: ${receipt.right}, ${receipt.state}, ${receipt.completed_at}`
    : `receipt of ${receipt.job_run_id}: job ${receipt.job} for ${receipt.purpose}, consent as of ${receipt.watermark?.as_of}`;
}

/** What a receipt is about: a request, a run of a job, or what a person said. */
function subjectOf(receipt) {
  return receipt?.request_id ?? receipt?.job_run_id ?? receipt?.consent_receipt_id;
}

function checkSignature({ signature, public_key: told }, bytes, trust) {
  const [header = '', payload, signed, ...rest] = typeof signature === 'string' ? signature.split('.') : [];
  const headerBytes = decoded(header, 'base64url');
  const signatureBytes = decoded(signed, 'base64url');
  insist(
    payload === '' && rest.length === 0 && headerBytes !== undefined && signatureBytes !== undefined,
    'the signature is malformed',
  );
  const signing = Buffer.from(`${header}.${bytes.toString('base64url')}`);
  const key = trust.find(({ publicKey }) => isSignedBy(publicKey, signing, signatureBytes));
  insist(key !== undefined, 'no trusted key signed exactly this receipt');
  const x = key.publicKey.toString('base64url');
  const kid = sha256(canonicalJson({ crv: 'Ed25519', kty: 'OKP', x })).toString('base64url');
  insist(
    canonicalJson(parsed(headerBytes.toString())) === canonicalJson({ alg: 'EdDSA', kid }),
    'the signature names another key',
  );
  insist(
    canonicalJson(told) === canonicalJson({ kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' }),
    'the receipt brings another key along than the one that signed it',
  );
  return { text: `signed by the key ${key.id} of ${key.name}` };
}

function checkEntry({ receipt, log }, bytes) {
  insist(
    log !== null,
    'the receipt brings no proof along: it was fetched before the log had it; fetch it again',
  );
  insist(hasMembers(log, ['entry', 'proof']), 'what the receipt says of the log is malformed');
  const { entry } = log;
  const names = ['action', 'actor', 'at', 'details', 'id', 'organizationId', 'subject'];
  insist(hasMembers(entry, names), 'the entry of the log is malformed');
  const isOwn =
    entry.action === 'receipt.signed' &&
    entry.subject === subjectOf(receipt) &&
    entry.organizationId === receipt.organization;
  insist(isOwn, 'the entry of the log is about something else');
  insist(
    entry.details?.sha256 === sha256(bytes).toString('hex'),
    'the entry of the log is about another receipt',
  );
  return {
    text: `${entry.id} of ${entry.at} has the hash of exactly this receipt`,
    leaf: leafHash(Buffer.from(canonicalJson(entry))),
  };
}

function checkProof({ log }, trust) {
  insist(typeof log?.proof === 'string', 'the receipt brings no checkpoint along');
  const proof = parseProof(log.proof);
  const checkpoint = openCheckpoint(proof.checkpoint, trust);
  return { text: `of ${checkpoint.size} entries, signed by ${checkpoint.origin}`, proof, checkpoint };
}

function checkInclusion(leaf, { proof: { index, hashes }, checkpoint: { size, root } }) {
  const got = rootFromInclusion({ leaf, index, size, hashes });
  insist(got?.equals(root), 'the entry is not in the log of the checkpoint');
  return { text: `the entry is number ${index} of the log, of ${size}` };
}

/**
 * Whether the log of an earlier checkpoint is the beginning of the log now: nothing in it was changed, removed or put in between.
 * `text` is what `habeas audit consistency` prints; `since` the earlier checkpoint, as it was published.
 */
export function verifyConsistency(text, since, trust) {
  const { checks, look } = looks();
  const old = look('earlier checkpoint', () => {
    // Mail programs and editors change how lines end.
    const checkpoint = openCheckpoint(`${since.replaceAll('\r\n', '\n').trimEnd()}\n`, trust);
    return { text: `of ${checkpoint.size} entries, signed by ${checkpoint.origin}`, checkpoint };
  });
  const now = look('checkpoint', () => {
    const document = parsed(text);
    insist(
      hasMembers(document, ['checkpoint', 'from', 'proof']) && Array.isArray(document.proof),
      'the file is not a proof of consistency',
    );
    const checkpoint = openCheckpoint(String(document.checkpoint), trust);
    return {
      text: `of ${checkpoint.size} entries, signed by ${checkpoint.origin}`,
      from: document.from,
      checkpoint,
      hashes: hashesOf(document.proof),
    };
  });
  look('consistency', () => {
    insist(old !== undefined && now !== undefined, 'cannot be looked at without both checkpoints');
    insist(old.checkpoint.origin === now.checkpoint.origin, 'the checkpoints are of two logs');
    insist(
      now.from === old.checkpoint.size && isBeginningOf(old.checkpoint, now.checkpoint, now.hashes),
      'the log of the earlier checkpoint is not the beginning of this one',
    );
    return {
      text: `all ${old.checkpoint.size} entries of the earlier checkpoint are the first ones of the log now`,
    };
  });
  return { kind: 'consistency', verified: checks.every(({ holds }) => holds), checks };
}

/** Verifies a receipt, or with `since` a proof of consistency. `since` and `text` are what the files hold. */
export function verifyFile({ text, since, trust }) {
  return since === undefined ? verifyReceipt(text, trust) : verifyConsistency(text, since, trust);
}

/** The verdict, line by line. */
export function verdictLines({ checks, verified }) {
  const lines = checks.map(({ check, holds, text }) => `${holds ? 'ok  ' : 'FAIL'}  ${check}: ${text}`);
  return [...lines, verified ? 'verified' : 'NOT verified'];
}

// --- The program ---

function main(argv) {
  const options = argv.filter((word) => word.startsWith('--'));
  const at = argv.indexOf('--since');
  const since = at < 0 ? undefined : argv[at + 1];
  const files = argv.filter((word, index) => !word.startsWith('--') && (at < 0 || index !== at + 1));
  const isKnown = options.every((word) => word === '--json' || word === '--since');
  if (files.length !== 2 || !isKnown || (at >= 0 && since === undefined)) {
    console.error('node habeas-verify.mjs receipt.json TRUST [--json]');
    console.error('node habeas-verify.mjs consistency.json TRUST --since earlier-checkpoint.txt [--json]');
    return 2;
  }
  const read = (file) => readFileSync(file, 'utf8');
  try {
    const trust = parseTrust(existsSync(files[1]) ? read(files[1]) : files[1]);
    const verdict = verifyFile({ text: read(files[0]), since: since && read(since), trust });
    console.log(
      options.includes('--json') ? JSON.stringify(verdict, null, 2) : verdictLines(verdict).join('\n'),
    );
    return verdict.verified ? 0 : 1;
  } catch (error) {
    console.error(error.message);
    return 2;
  }
}

const started = process.argv[1];
if (
  started !== undefined &&
  existsSync(started) &&
  realpathSync(started) === fileURLToPath(import.meta.url)
) {
  process.exitCode = main(process.argv.slice(2));
}
