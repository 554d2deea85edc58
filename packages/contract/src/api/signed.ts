import * as z from 'zod';
import { loggedEntrySchema } from './audit.ts';

/** What every signed receipt has beside what is signed. */
export const signedShape = {
  signature: z.string().describe('JWS in compact form with detached payload (RFC 7515 appendix F), EdDSA'),
  public_key: z.record(z.string(), z.unknown()).describe('JWK'),
  log: z
    .object({
      entry: loggedEntrySchema,
      proof: z.string().describe('C2SP tlog-proof: the entry is in the log of a signed checkpoint'),
    })
    .nullable()
    .describe('Proves that the receipt was committed in the audit log; null: not yet, ask again in a moment'),
};
