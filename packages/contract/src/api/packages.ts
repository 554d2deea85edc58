import * as z from 'zod';
import { languageSchema } from './common.ts';

export const packageFormSchema = z
  .enum(['zip', 'age'])
  .describe('`zip`, opened on the way; or `age`, sealed as it is stored');
export type PackageForm = z.output<typeof packageFormSchema>;

export const packageQuerySchema = z.object({ form: packageFormSchema.default('zip') });

export const packageKeySchema = z
  .object({
    package_id: z.string(),
    identity: z.string().describe('`AGE-SECRET-KEY-1…`; opens this package and no other'),
    expires_at: z.iso.datetime().describe('When the key is destroyed here; copies that were handed out stay'),
  })
  .meta({ id: 'PackageKey' });
export type PackageKeyView = z.output<typeof packageKeySchema>;

export const makePackageLinkSchema = z.object({
  downloads: z.int().min(1).max(20).default(3).describe('How often the package can be downloaded by it'),
  days: z
    .int()
    .min(1)
    .max(7)
    .default(7)
    .describe('How long it is valid; never longer than the package is there'),
});

export const packageLinkSchema = z
  .object({
    id: z.string(),
    url: z.string().describe('Shown once. What stands behind `#` is the secret; browsers do not send it'),
    downloads: z.int(),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'PackageLink' });
export type PackageLinkView = z.output<typeof packageLinkSchema>;

export const revokedLinksSchema = z.object({ revoked: z.int() });

const token = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/)
  .describe('What stands behind `#` in the link');

export const askPackageCodeSchema = z.object({
  token,
  language: languageSchema
    .optional()
    .describe('Of the mail, where the request has none. (Default: as `Accept-Language` says)'),
});
export const openPackageLinkSchema = z.object({ token, code: z.string().regex(/^\d{8}$/) });
export const sentCodeSchema = z.object({ minutes: z.int().describe('How long the code is valid') });

export const openedLinkSchema = z
  .object({
    link_id: z.string(),
    secret: z.string().describe('For programs, which have no cookies: a Bearer token for the download'),
    bytes: z.int(),
    sha256: z.string(),
    expires_at: z.iso.datetime().describe('Until when a download may be begun or gone on with'),
    downloads_left: z.int(),
  })
  .meta({ id: 'OpenedLink' });
