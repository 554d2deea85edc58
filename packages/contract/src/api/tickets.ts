import * as z from 'zod';
import {
  fieldChangeSchema,
  identitySchema,
  pageOf,
  pageQuerySchema,
  rightSchema,
  timeSchema,
  wordsSchema,
} from './common.ts';

export const ticketStateSchema = z
  .enum(['open', 'closed', 'rejected', 'skipped', 'cancelled'])
  .describe(
    'open: the team is to do it; closed: done; rejected: the team will not do it, an officer decides; skipped: left out by an officer; cancelled: ended with its request',
  )
  .meta({ id: 'TicketState' });

export const ticketSchema = z
  .object({
    id: z.string().describe('The id of the task that it is'),
    request_id: z.string(),
    right: rightSchema,
    team: z.string(),
    system: z.string(),
    state: ticketStateSchema,
    instructions: z.string().describe('What the team is to do, in words'),
    data_types: z.array(z.string()),
    opened_at: timeSchema,
    due_at: timeSchema,
    ended_at: timeSchema.nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: 'Ticket' });

/** One ticket with the person that it is about; only this answer names them. */
export const ticketDetailSchema = ticketSchema
  .extend({
    identities: z
      .array(identitySchema)
      .describe('Whom it is about; empty once the ticket is not open any more'),
    changes: z
      .array(fieldChangeSchema)
      .describe('Of a rectification: what has to be changed; empty once the ticket is not open any more'),
  })
  .meta({ id: 'TicketDetail' });

export const closeTicketSchema = z
  .strictObject({
    note: wordsSchema.describe('What was done; write no personal data'),
    count: z
      .int()
      .min(0)
      .optional()
      .describe('How many records were handed over or erased (Default: those in `data`)'),
    data: z
      .record(z.string().min(1).max(100), z.array(z.record(z.string(), z.unknown())).max(100_000))
      .optional()
      .describe(
        'Of an access or a portability: what the team found, rows by collection; it goes into the package, sealed until then',
      ),
  })
  .meta({ id: 'CloseTicket' });

export const reassignTicketSchema = z
  .strictObject({
    team: z.string().min(1).max(200).describe('Who has it from now on'),
    reason: wordsSchema.describe('Kept in the audit log; write no personal data'),
  })
  .meta({ id: 'ReassignTicket' });

export const listTicketsQuerySchema = pageQuerySchema.extend({
  team: z.string().optional(),
  state: ticketStateSchema.optional(),
});

export const ticketPageSchema = pageOf(ticketSchema).meta({ id: 'TicketPage' });

export type TicketState = z.output<typeof ticketStateSchema>;
export type TicketView = z.output<typeof ticketSchema>;
export type TicketDetail = z.output<typeof ticketDetailSchema>;
