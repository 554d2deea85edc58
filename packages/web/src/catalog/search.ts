import { catalogFilterSchema } from '@habeas/contract/api';
import * as z from 'zod';

/** The address of the catalog: what the API is asked, and the entry that the panel tells of. */
export const catalogSearchSchema = catalogFilterSchema.extend({ chosen: z.string().max(1_000).optional() });

export type CatalogSearch = z.output<typeof catalogSearchSchema>;
