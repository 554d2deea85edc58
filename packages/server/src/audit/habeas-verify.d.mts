/** Why something does not prove what it should; the text says it to a person. */
export class NotVerified extends Error {}

/** A verifier key of C2SP signed-note. */
export interface TrustedKey {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly id: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Buffer;
}

/** A tree: its number of entries and its root. */
export interface TreeHead {
  readonly size: number;
  readonly root: Buffer;
}

export interface OpenedCheckpoint extends TreeHead {
  readonly origin: string;
  readonly signer: TrustedKey;
}

export interface Verdict {
  readonly kind: 'receipt' | 'consistency';
  readonly verified: boolean;
  readonly checks: readonly { readonly check: string; readonly holds: boolean; readonly text: string }[];
}

export function canonicalJson(value: unknown): string;
export function parseTrust(text: string): readonly TrustedKey[];
export function keyIdOf(name: string, publicKey: Uint8Array): Buffer;
export function openNote(
  note: string,
  trust: readonly TrustedKey[],
): { readonly text: string; readonly signer: TrustedKey };
export function openCheckpoint(note: string, trust: readonly TrustedKey[]): OpenedCheckpoint;
export function parseProof(text: string): {
  readonly index: number;
  readonly hashes: readonly Buffer[];
  readonly checkpoint: string;
};
export function rootFromInclusion(options: {
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly hashes: readonly Uint8Array[];
}): Buffer | undefined;
export function isBeginningOf(from: TreeHead, to: TreeHead, hashes: readonly Uint8Array[]): boolean;
export function verifyReceipt(text: string, trust: readonly TrustedKey[]): Verdict;
export function verifyConsistency(text: string, since: string, trust: readonly TrustedKey[]): Verdict;
export function verifyFile(options: {
  readonly text: string;
  /** An earlier checkpoint: then `text` is a proof of consistency. */
  readonly since?: string | undefined;
  readonly trust: readonly TrustedKey[];
}): Verdict;
export function verdictLines(verdict: Verdict): readonly string[];
