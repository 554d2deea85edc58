import * as z from 'zod';
import { timeSchema, wordsSchema } from './common.ts';

export const clientStateSchema = z.enum(['proposed', 'approved', 'rejected']).meta({ id: 'ClientState' });

export const clientSchema = z
  .object({
    id: z.string(),
    team: z.string(),
    service: z.string().nullable(),
    address: z.string(),
    protocol: z.enum(['grpc', 'http']),
    state: clientStateSchema,
    decided_by: z.string().nullable().describe('Who approved or rejected it: a key, or `allow-list`'),
    reason: z.string().nullable().describe('Why, if they said so'),
    stale: z
      .boolean()
      .describe('No source declares it any more; an approved one stays usable until it is rejected'),
    first_seen: timeSchema,
    last_seen: timeSchema,
  })
  .meta({ id: 'Client' });

export const publicKeyListSchema = z
  .object({ items: z.array(z.string().describe('Ed25519 public point in base64url')) })
  .describe('Newest first; a service trusts all of them')
  .meta({ id: 'PublicKeyList' });

/** May come with a decision about a client. */
export const decideClientSchema = z
  .strictObject({
    reason: wordsSchema
      .optional()
      .describe('Kept with the decision and in the audit log; write no personal data'),
  })
  .nullish()
  .meta({ id: 'DecideClient' });

export const clientListSchema = z.object({ items: z.array(clientSchema) }).meta({ id: 'ClientList' });

export type ClientView = z.output<typeof clientSchema>;
