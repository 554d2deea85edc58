import * as z from 'zod';
import { timeSchema } from './common.ts';
import { roleSchema } from './members.ts';
import { scopeSchema } from './scopes.ts';

const apiKeyText = z.string().min(1).max(200).describe('The API key itself');

export const startSessionSchema = z.strictObject({ key: apiKeyText }).meta({ id: 'StartSession' });

/** Who a browser acts for. */
export const sessionSchema = z
  .object({
    actor: z.string().describe('As audit entries name it: `key:<id>` or `member:<id>`'),
    name: z.string().nullable().describe('Of the key, or of the person'),
    role: roleSchema.nullable().describe('Null: a key, which has scopes of its own'),
    scopes: z.array(scopeSchema),
    teams: z.array(z.string()).nullable().describe('Whose tickets they may see and do; null: of all teams'),
    expires_at: timeSchema,
    confirmed_until: timeSchema.describe(
      'Until then nobody has to show again that it is them, for what cannot be undone',
    ),
    confirm_by: z
      .enum(['key', 'sign_in'])
      .describe('How they show it: by `POST /api/v1/session:confirm` with the key, or by signing in again'),
  })
  .meta({ id: 'Session' });

export type SessionView = z.output<typeof sessionSchema>;
