import * as z from 'zod';
import { timeSchema } from './common.ts';
import { scopeSchema } from './scopes.ts';

const apiKeyText = z.string().min(1).max(200).describe('The API key itself');

export const startSessionSchema = z.strictObject({ key: apiKeyText }).meta({ id: 'StartSession' });

/** Who a browser acts for. */
export const sessionSchema = z
  .object({
    actor: z.string().describe('As audit entries name it: `key:<id>`'),
    scopes: z.array(scopeSchema),
    teams: z.array(z.string()).nullable().describe('Whose tickets they may see and do; null: of all teams'),
    expires_at: timeSchema,
    confirmed_until: timeSchema.describe(
      'Until then the key need not be shown again for what cannot be undone',
    ),
  })
  .meta({ id: 'Session' });

export type SessionView = z.output<typeof sessionSchema>;
