import * as z from 'zod';
import { asked, counts } from './map-parts.ts';

export const gapSchema = z
  .object({
    kind: z.enum([
      'undeclared-receiver',
      'store-without-eraser',
      'data-type-without-category',
      'team-without-client',
      'client-not-approved',
      'duplicate-service',
      'source-failing',
      'rejected-label',
      'declared-not-seen',
      'seen-not-declared',
      'map-shrunk',
    ]),
    service: z.string().nullable(),
    team: z.string().nullable(),
    data_type: z.string().nullable(),
    message: z.string().describe('What is missing and what to do'),
  })
  .meta({ id: 'Gap' });

export const gapListSchema = z
  .object({ ...asked, counts: counts('gaps'), items: z.array(gapSchema) })
  .meta({ id: 'GapList' });

export type GapView = z.output<typeof gapSchema>;
export type GapListView = z.output<typeof gapListSchema>;
