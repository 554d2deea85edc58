import * as z from 'zod';
import { timeSchema, wordsSchema } from './common.ts';

/** A key as it can be shown: everything but the key. */
export const apiKeySchema = z
  .object({
    id: z.string(),
    name: z.string().describe('What it is for, in words of the one who made it'),
    role: z.enum(['admin']),
    created_at: timeSchema,
    created_by: z.string().describe('As audit entries name it: `key:<id>` or `system`'),
    expires_at: timeSchema.nullable().describe('From when it is refused, or null'),
    revoked_at: timeSchema.nullable(),
  })
  .meta({ id: 'ApiKey' });

export const createApiKeySchema = z
  .strictObject({
    name: wordsSchema.max(200).describe('What it is for; write no personal data'),
    expires_at: timeSchema.nullable().default(null).describe('In the future; null: it does not expire'),
  })
  .meta({ id: 'CreateApiKey' });

export const newApiKeySchema = apiKeySchema
  .extend({
    key: z.string().describe('The key itself. It is shown in this answer alone; only its hash is stored'),
  })
  .meta({ id: 'NewApiKey' });

export const apiKeyListSchema = z.object({ items: z.array(apiKeySchema) }).meta({ id: 'ApiKeyList' });

export type ApiKeyView = z.output<typeof apiKeySchema>;
export type NewApiKeyView = z.output<typeof newApiKeySchema>;
