import * as z from 'zod';
import { duration, key } from './values.ts';

const qualified = z.string().regex(/^[^."]+\.[^."]+$/u, 'a name with its schema, such as public.user_events');
const identityType = z.string().regex(/^[a-z][a-z0-9_]{0,30}$/, 'an identity type such as user_id');
const column = z.string().min(1).max(63);

/** Whose rows a table has, or that it has none of people. */
const table = z
  .strictObject({
    table: qualified,
    /** The identity type by which its rows name people. */
    identity: identityType.optional(),
    /** The column with the identity. (Default: the identity type) */
    column: column.optional(),
    /** A column of whole numbers with the people's numbers in `habeas_consent.signatures_<identity>`. */
    key: column.optional(),
    /** It has no personal data. */
    open: z.literal(true).optional(),
  })
  .refine(
    (one) => (one.open === true) !== (one.identity !== undefined),
    'says whose rows it has by `identity`, or that it has none of people by `open: true`',
  )
  .refine(
    (one) => one.identity !== undefined || (one.column === undefined && one.key === undefined),
    'has no people, and so no `column` or `key` of theirs',
  );

/** A database whose jobs see only those who agreed. */
const target = z.strictObject({
  key,
  /** From the environment: `${SHOP_CONSENT_URL}`. Of a user who may make schemas, roles and policies. */
  url: z.string().min(1),
  tables: z.array(table).min(1),
  /** Functions of the organization's own that read no table, with their schemas. */
  functions: z.array(qualified).default([]),
  /** Identity types whose values are whole numbers: the number itself is the key of a bitmap. */
  numbers: z.array(identityType).default([]),
  /** Whether rows of the tables are hidden from the role `habeas_<key>_rows`, too. */
  row_security: z.boolean().default(false),
  /** How often what people said is brought over. */
  sync_every: duration.prefault('1s'),
  /** How often everything is compared. */
  reconcile_every: duration.prefault('1d'),
});

/** Where what people agreed to is enforced; see docs/enforce-consent.md. */
export const consentTargets = z.array(target).default([]);

export type ConsentTargetConfig = z.output<typeof target>;
