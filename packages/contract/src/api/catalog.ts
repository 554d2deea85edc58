import * as z from 'zod';
import { pageOf, pageQuerySchema, timeSchema } from './common.ts';

const word = z.string().min(1).max(200);
const named = z.array(z.string());

export const catalogEntrySchema = z
  .object({
    id: z.string().describe('The same as long as the entry is'),
    kind: z
      .enum(['field', 'store'])
      .describe(
        'field: a dataset has it; store: a service says that it stores this data type, and no dataset says where',
      ),
    system: z.string().describe('Key of the connection, or the name of the service where there is none'),
    connection_kind: z.string().nullable().describe('Such as `postgres`; null: no connection'),
    service: z.string(),
    team: z.string().describe('Who owns it'),
    dataset: z.string().nullable(),
    collection: z.string().nullable().describe('A table, a bucket, keys or files'),
    field: z.string().nullable(),
    data_types: named.describe('What the service says that it stores, and this is'),
    categories: named.describe('Data categories; none: nobody says that it is personal'),
    identity: z.string().nullable().describe('The type of identity by which people are found here'),
    source: z
      .enum(['provided', 'observed', 'derived'])
      .nullable()
      .describe('Where values are from; null: no dataset says so'),
    purposes: named.describe('What the service says that the data is used for'),
    retention: named.describe('How long the service says that it is kept'),
    last_seen: timeSchema.nullable().describe('When the service said so last; null: it never did'),
  })
  .meta({ id: 'CatalogEntry' });

export const catalogFilterSchema = z.object({
  team: word.describe('Only what this team owns').optional(),
  system: word.describe('Only this system').optional(),
  service: word.describe('Only this service').optional(),
  data_type: word.describe('Only this data type').optional(),
  category: word
    .describe('Only this data category and those below it: `user.contact` has `user.contact.email`')
    .optional(),
});

export const listCatalogQuerySchema = pageQuerySchema.extend(catalogFilterSchema.shape);

export const catalogPageSchema = pageOf(catalogEntrySchema)
  .extend({
    total: z.int().describe('Entries that the filter leaves'),
    choices: z
      .object({ teams: named, systems: named, services: named, data_types: named, categories: named })
      .describe('What there is to filter by, whatever the filter is'),
  })
  .meta({ id: 'CatalogPage' });

export type CatalogEntryView = z.output<typeof catalogEntrySchema>;
export type CatalogFilter = z.output<typeof catalogFilterSchema>;
export type CatalogPage = z.output<typeof catalogPageSchema>;
