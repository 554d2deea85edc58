import { mapFilterSchema, mapQuerySchema } from '@habeas/contract/api';
import * as z from 'zod';

/** The address of the map: what the API is asked, and how its answer is shown. */
export const mapSearchSchema = mapFilterSchema.extend({
  compare_to: mapQuerySchema.shape.compare_to,
  view: z.enum(['table', 'gaps']).optional(),
  /** Teams whose services are shown, as a JSON list. */
  open: z.string().max(10_000).optional(),
  /** Id of the node or link that the panel tells of. */
  chosen: z.string().max(1_000).optional(),
  /** The service from which it is shown where data can end up. */
  reach: z.string().max(200).optional(),
  /** Whether gaps that somebody approved are listed, too. */
  approved: z.literal('true').optional(),
  /** The request whose progress is shown on it. */
  request: z
    .string()
    .regex(/^[a-z0-9_]{1,100}$/)
    .optional(),
  find: z.string().max(200).optional(),
});

export type MapSearch = z.output<typeof mapSearchSchema>;

/** What of the address the API is asked. */
export function queryOf({ team, service, data_type, category, external, as_of, compare_to }: MapSearch) {
  return { team, service, data_type, category, external, as_of, compare_to };
}

/** Teams in `open`; whoever wrote something else there has none open. */
export function openTeams(open: string | undefined): ReadonlySet<string> {
  const list = z.array(z.string()).safeParse(parsed(open ?? '[]'));
  return new Set(list.data ?? []);
}

export function withTeams(teams: ReadonlySet<string>): string | undefined {
  return teams.size === 0 ? undefined : JSON.stringify([...teams].toSorted());
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
