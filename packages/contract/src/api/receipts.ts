import * as z from 'zod';
import { rightSchema, timeSchema } from './common.ts';
import { effectsSchema, residualSchema, retainedSchema } from './evidence.ts';
import { requestStateSchema } from './requests.ts';
import { signedShape } from './signed.ts';
import { taskKindSchema, taskStateSchema } from './tasks.ts';

/** What a finished request can show for itself: signed, without personal data. */
export const receiptSchema = z
  .object({
    receipt: z
      .object({
        version: z.literal(3),
        salt: z
          .string()
          .describe('Random, so that the hash of the receipt tells nothing about the words in it'),
        organization: z.string(),
        request_id: z.string(),
        right: rightSchema,
        dry_run: z.boolean(),
        state: requestStateSchema,
        received_at: timeSchema,
        completed_at: timeSchema,
        plan_hash: z.string(),
        policy_version: z.string(),
        systems: z.array(
          z.object({
            system: z.string(),
            tasks: z.array(
              z.object({
                key: z.string(),
                kind: taskKindSchema,
                state: taskStateSchema,
                ended_at: timeSchema.nullable(),
                note: z.string().nullable(),
              }),
            ),
            counts: z.record(z.string(), z.int()),
            effects: effectsSchema.optional(),
            verified_at: timeSchema
              .nullable()
              .describe(
                'When the system was read for the last time and nothing was found that had to go; null: nobody read it',
              ),
            assurance: z
              .enum(['verified', 'answered', 'attested', 'none'])
              .describe(
                'How sure it is: verified: Habeas read it again; answered: the system said so; attested: a person of the team said so; none: nothing was done',
              ),
          }),
        ),
        retained: z.array(retainedSchema.extend({ system: z.string() })),
        residuals: z.array(residualSchema.extend({ system: z.string() })),
        audit_leaf_hashes: z.array(z.string()),
      })
      .describe('Canonical JSON (RFC 8785) of this object is what is signed'),
    ...signedShape,
  })
  .meta({ id: 'Receipt' });

export type ReceiptView = z.output<typeof receiptSchema>;
