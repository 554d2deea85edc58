import * as z from 'zod';

/** Text that a database can keep as it is: no NUL, and no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

export const NOT_STORABLE = 'text without NUL and without halves of surrogate pairs';

/** Words of a person, such as a reason. */
export const wordsSchema = z.string().min(1).max(2_000).refine(isStorable, NOT_STORABLE);

/** A type and a value that point at a person. */
export const identitySchema = z
  .strictObject({
    type: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,62}$/)
      .describe('`email`, `phone_number`, `user_id`, or a type that a dataset names'),
    value: z
      .string()
      .min(1)
      .max(1_000)
      .refine(isStorable, NOT_STORABLE)
      .describe('Taken literally: quotes, SQL and line breaks have no meaning'),
  })
  .meta({ id: 'Identity' });

export const rightSchema = z
  .enum([
    'access',
    'portability',
    'erasure',
    'rectification',
    'restriction',
    'objection',
    'opt_out_of_sale',
    'limit_sensitive_data',
  ])
  .describe(
    'GDPR articles 15 to 21; `opt_out_of_sale` (of sale and sharing) and `limit_sensitive_data` are of the CCPA, § 1798.120 and § 1798.121',
  )
  .meta({ id: 'Right' });

/** A value of a field, old or new; null: none. */
export const fieldValueSchema = z
  .union([z.string().max(10_000).refine(isStorable, NOT_STORABLE), z.number(), z.boolean(), z.null()])
  .meta({ id: 'FieldValue' });

/** What a field that is about the person has to say from now on. */
export const fieldChangeSchema = z
  .strictObject({
    target: z
      .string()
      .min(1)
      .max(300)
      .refine(isStorable, NOT_STORABLE)
      .describe(
        'A data category, for every field of it in every system (`user.contact.address.city`), or one field of one system (`shop.customers.city`)',
      ),
    from: fieldValueSchema.optional().describe('Only where this is the value now (Default: whatever it is)'),
    to: fieldValueSchema.describe('What it becomes; null removes it'),
  })
  .meta({ id: 'FieldChange' });

/**
 * Several of them, at once. One that makes what another one changes could not be told, when it is tried again, from one that was done:
 * two values that are to change places would change places again.
 */
export const fieldChangesSchema = z
  .array(fieldChangeSchema)
  .max(50)
  .refine((changes) => !changes.some((one) => changes.some((other) => isMadeBy(one, other))), {
    error:
      'One change makes the value that another change of the same target is to replace. Ask for them in two requests, one after the other.',
  });

function isMadeBy(one: FieldChange, other: FieldChange): boolean {
  const replaces = one.target === other.target && one.from !== undefined && one.from === other.to;
  return replaces && one !== other;
}

/** What data is used for; dots go from the general to the particular. */
export const purposeSchema = z
  .string()
  .max(200)
  .regex(/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/, 'a purpose such as marketing.advertising')
  .describe('`marketing` also covers `marketing.advertising`');

export const languageSchema = z
  .enum(['en', 'de', 'fr', 'es', 'nl', 'it', 'pl'])
  .describe('Language of mails to the person; ISO 639-1')
  .meta({ id: 'Language' });

export const timeSchema = z.iso.datetime().describe('RFC 3339, UTC');

/** A moment that somebody asks about. */
export const momentSchema = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()])
  .describe('RFC 3339, or a date, which is its first moment in UTC');

/** An answer that may go on: pass `next` as `cursor` for the following page. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().describe('Cursor of the next page, or null at the end'),
  });
}

export const pageQuerySchema = z.object({
  cursor: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

/** RFC 9457. `code` is one of docs/errors.md. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    details: z.array(z.string()).optional(),
    instance: z.string().optional(),
  })
  .meta({ id: 'Problem' });

export type Identity = z.output<typeof identitySchema>;
export type FieldChange = z.output<typeof fieldChangeSchema>;
export type FieldValue = z.output<typeof fieldValueSchema>;
export type Right = z.output<typeof rightSchema>;
export type Problem = z.output<typeof problemSchema>;
export type Language = z.output<typeof languageSchema>;
