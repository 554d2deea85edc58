import { keyIdOf } from './habeas-verify.mjs';

/** Signs as the log: Ed25519 (RFC 8032). The public key has 32 bytes. */
export type SignLog = (
  bytes: Uint8Array,
) => Promise<{ readonly signature: Uint8Array; readonly publicKey: Uint8Array }>;

/** Type of an Ed25519 signature in a signed note. */
const ED25519 = 1;

/** A text, ending with a newline, and its signature (C2SP signed-note). */
export async function signNote(text: string, name: string, sign: SignLog): Promise<string> {
  const { signature, publicKey } = await sign(Buffer.from(text));
  const signed = Buffer.concat([keyIdOf(name, publicKey), signature]);
  return `${text}\n— ${name} ${signed.toString('base64')}\n`;
}

/** A checkpoint without its signature (C2SP tlog-checkpoint). */
export function checkpointText(origin: string, size: number, root: Uint8Array): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** A key as those who verify get it, `name+id+base64`. */
export function verifierKey(name: string, publicKey: Uint8Array): string {
  const bytes = Buffer.concat([Buffer.of(ED25519), publicKey]);
  return `${name}+${keyIdOf(name, publicKey).toString('hex')}+${bytes.toString('base64')}`;
}

/** A proof that an entry is in the log, which can be checked without the log (C2SP tlog-proof). */
export function proofText(proof: {
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  readonly checkpoint: string;
}): string {
  const hashes = proof.hashes.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  return `c2sp.org/tlog-proof@v1\nindex ${proof.index}\n${hashes}\n${proof.checkpoint}`;
}
