import * as z from 'zod';

/** The parts of the page of a request that have an address of their own; without one it shows the plan. */
export const tabSchema = z.enum(['deadline', 'kept', 'timeline', 'receipt']);
