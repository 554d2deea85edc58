import * as z from 'zod';
import { timeSchema, wordsSchema } from './common.ts';
import { ALL_SCOPES, scopeSchema } from './scopes.ts';

/** A key as it can be shown: everything but the key. */
export const apiKeySchema = z
  .object({
    id: z.string(),
    name: z.string().describe('What it is for, in words of the one who made it'),
    scopes: z.array(scopeSchema).describe('What it may do'),
    teams: z.array(z.string()).nullable().describe('Whose tickets it may see and do; null: of all teams'),
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
    scopes: z
      .array(scopeSchema)
      .min(1)
      .default([...ALL_SCOPES])
      .describe('What it may do: nothing that the key which makes it may not do itself'),
    teams: z
      .array(wordsSchema.max(200))
      .min(1)
      .max(100)
      .nullable()
      .default(null)
      .describe('Whose tickets it may see and do; null: of all teams'),
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
