import * as z from 'zod';

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
