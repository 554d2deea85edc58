import type { api } from '@habeas/contract';
import { verifyDetached } from '../access/index.ts';
import { canonicalJson } from '../audit/index.ts';

/** Whether a receipt is signed, unchanged, by one of these keys (Ed25519 in base64url). Needs no server. */
export async function isReceiptGenuine(
  view: api.ReceiptView,
  publicKeys: readonly string[],
): Promise<boolean> {
  const bytes = Buffer.from(canonicalJson(view.receipt));
  for (const publicKey of publicKeys) {
    if (await verifyDetached({ signature: view.signature, bytes, publicKey })) return true;
  }
  return false;
}
