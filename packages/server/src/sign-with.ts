import type { Signer } from './access/index.ts';

/** Signs as this server, with the key that the signature can be checked by. */
export const signWith = (signer: Signer) => async (payload: Uint8Array) => ({
  signature: await signer.signDetached(payload),
  publicKey: { ...(await signer.publicJwk()) },
});
