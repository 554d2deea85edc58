import * as z from 'zod';

const LONGEST_SECONDS = 30 * 86_400;

export const exportConsentSchema = z
  .strictObject({
    purpose: z.string().max(63),
    identity_type: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,62}$/)
      .describe('By which the engine names people'),
    format: z
      .enum(['parquet', 'bloom'])
      .describe('`parquet`: one column `identity`; `bloom`: a filter of those who refused'),
    valid_seconds: z
      .int()
      .min(1)
      .max(LONGEST_SECONDS)
      .default(86_400)
      .describe('From then on nobody may be used by it'),
  })
  .meta({ id: 'ExportConsent' });
export type ExportConsent = z.output<typeof exportConsentSchema>;

export const consentExportSchema = z
  .object({
    manifest: z
      .object({
        version: z.literal(1),
        organization: z.string(),
        export_id: z.string(),
        purpose: z.string(),
        identity_type: z.string(),
        lists: z
          .enum(['granted', 'denied'])
          .describe(
            'Whom the file has: those who agreed, and nobody else may be used; or those who refused, and everybody else may',
          ),
        format: z.enum(['parquet', 'bloom']),
        bloom: z.object({ bits: z.int(), hashes: z.int() }).optional(),
        file: z.object({ bytes: z.int(), sha256: z.string() }),
        count: z.int().describe('How many people the file has'),
        snapshot: z.string().describe("PostgreSQL's name of the state"),
        as_of: z.iso.datetime(),
        issued_at: z.iso.datetime(),
        expires_at: z.iso.datetime(),
      })
      .describe('Canonical JSON (RFC 8785) of this object is what is signed'),
    signature: z.string().describe('Detached JWS (RFC 7515 appendix F), EdDSA'),
    public_key: z.record(z.string(), z.unknown()).describe('JWK of the key that signed'),
  })
  .meta({ id: 'ConsentExport' });
export type ConsentExport = z.output<typeof consentExportSchema>;
