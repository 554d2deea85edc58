import * as z from 'zod';

export const connectionSchema = z
  .object({
    key: z.string(),
    kind: z.string(),
    service: z.string(),
    team: z.string(),
    datasets: z.array(z.string()),
    capabilities: z.array(z.string()),
  })
  .describe('A configured system; its address and password never come back')
  .meta({ id: 'Connection' });

export const healthReportSchema = z
  .object({ ok: z.boolean(), message: z.string(), problems: z.array(z.string()) })
  .meta({ id: 'HealthReport' });

export const connectionListSchema = z
  .object({ items: z.array(connectionSchema) })
  .meta({ id: 'ConnectionList' });

export type ConnectionView = z.output<typeof connectionSchema>;
