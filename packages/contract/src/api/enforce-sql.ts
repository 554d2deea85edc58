import * as z from 'zod';

/** A statement that is to be narrowed. */
export const enforceSqlSchema = z
  .strictObject({
    organization: z.string().min(1).max(63).describe('On whose behalf; the one that the API key belongs to'),
    purpose: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/),
    target: z.string().max(63).optional().describe('Key of the target (default: the only one)'),
    sql: z.string(),
  })
  .meta({ id: 'EnforceSql' });
export type EnforceSql = z.output<typeof enforceSqlSchema>;

export const enforcedSqlSchema = z
  .object({
    sql: z.string().describe('The statement as it may run'),
    purpose: z.string(),
    relations: z
      .array(
        z.object({
          schema: z.string(),
          name: z.string(),
          form: z.enum(['bitmap', 'exists', 'not-exists']),
          why: z.string(),
        }),
      )
      .describe('What was narrowed, and how'),
  })
  .meta({ id: 'EnforcedSql' });
export type EnforcedSql = z.output<typeof enforcedSqlSchema>;
