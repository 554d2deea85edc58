import * as z from 'zod';
import { identitySchema } from './common.ts';
import { noticeSeenSchema } from './consent.ts';
import { signedShape } from './signed.ts';

export const consentHistoryQuerySchema = z
  .strictObject({ identity: identitySchema })
  .meta({ id: 'ConsentHistoryQuery' });

export const consentHistorySchema = z
  .object({
    items: z.array(
      z
        .object({
          event_id: z.string(),
          said_at: z.iso.datetime(),
          received_at: z.iso.datetime(),
          choices: z.record(z.string(), z.boolean()),
          source: z.string().describe('As the signal has it; `anonymous`: said before the person signed in'),
          notice: noticeSeenSchema.nullable(),
        })
        .meta({ id: 'ConsentHistoryItem' }),
    ),
  })
  .meta({ id: 'ConsentHistory' });
export type ConsentHistoryItem = z.output<typeof consentHistorySchema>['items'][number];

export const consentReceiptQuerySchema = z
  .strictObject({ identity: identitySchema, event_id: z.string().min(1).max(300) })
  .meta({ id: 'ConsentReceiptQuery' });

export const consentReceiptSchema = z
  .object({
    receipt: z
      .object({
        version: z.literal(1),
        organization: z.string(),
        consent_receipt_id: z.string(),
        record: z
          .record(z.string(), z.unknown())
          .describe(
            'Consent receipt after ISO/IEC TS 27560:2023, in JSON-LD with the Data Privacy Vocabulary',
          ),
      })
      .describe('Canonical JSON (RFC 8785) of this object is what is signed'),
    ...signedShape,
  })
  .meta({ id: 'ConsentReceipt' });
export type ConsentReceipt = z.output<typeof consentReceiptSchema>;
