import type { api } from '@habeas/contract';
import type { Gap, PlannedTask } from './planned-task.ts';
import type { Reached } from './reach.ts';

/** Where a plan stops if more was found than one person may have destroyed. */
export const APPROVAL = 'approval';

/**
 * The task between what was found and what is destroyed that counts, and asks two people above the policy's count. None where the
 * policy names no count, or nothing is found before it is destroyed.
 */
export function planApproval(options: {
  readonly procedure: api.ProcedureView | undefined;
  readonly reached: readonly Reached[];
  /** Tasks that find exact keys. */
  readonly located: readonly PlannedTask[];
  readonly dryRun: boolean;
  readonly gaps: Gap[];
}): readonly PlannedTask[] {
  const { procedure, reached, located, dryRun, gaps } = options;
  const above = procedure?.four_eyes_above;
  if (dryRun || above === undefined || above === null) return [];
  const counted = new Set(located.map(({ system }) => system));
  const blind = reached.filter(({ system, way }) => way !== 'none' && !counted.has(system.key));
  if (blind.length > 0)
    gaps.push({
      kind: 'not-counted',
      system: null,
      message: `Two people approve above ${above} rows; what ${blind.map(({ system }) => system.key).join(', ')} would destroy cannot be counted before and is not among them.`,
      ticket: false,
    });
  if (located.length === 0) return [];
  return [
    {
      key: APPROVAL,
      kind: 'approval',
      system: null,
      team: null,
      depends_on: located.map(({ key }) => key),
      explanation: `If more than ${above} rows were found, two people approve before anything is destroyed.`,
    },
  ];
}
