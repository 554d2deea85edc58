import * as z from 'zod';
import { timeSchema } from './common.ts';
import { asked, counts, saying, typed } from './map-parts.ts';

export const sayingSchema = z.object(saying).meta({ id: 'Saying' });

export const changeSchema = z
  .object({
    kind: z.enum(['flow', 'store']),
    service: z.string(),
    to_service: z.string().nullable().describe('null for a store'),
    ...typed,
    at: timeSchema.describe('Added or changed: seen first so. Removed: seen last'),
    by: z.array(z.object({ team: z.string(), source: z.string() })).describe('Who says so, or said so last'),
    before: z.array(sayingSchema),
    after: z.array(sayingSchema),
  })
  .meta({ id: 'MapChange' });

export const mapChangesSchema = z
  .object({
    from: timeSchema.describe('The earlier moment'),
    to: timeSchema.describe('The later moment'),
    added: z.array(changeSchema),
    removed: z.array(changeSchema),
    changed: z.array(changeSchema).describe('Another team, purpose, subject, retention or region'),
  })
  .meta({ id: 'MapChanges' });

/** What changed, without the map beside it. */
export const mapDifferenceSchema = z
  .object({
    ...asked,
    counts: counts('added', 'removed', 'changed'),
    changes: mapChangesSchema,
  })
  .meta({ id: 'MapDifference' });

export type MapDifferenceView = z.output<typeof mapDifferenceSchema>;
export type ChangeView = z.output<typeof changeSchema>;
export type MapChangesView = z.output<typeof mapChangesSchema>;
export type SayingView = z.output<typeof sayingSchema>;
