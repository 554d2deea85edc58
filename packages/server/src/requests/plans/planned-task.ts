import type { api } from '@habeas/contract';
import type { PlannableSystem } from '../../connectors/index.ts';

export type PlannedTask = api.PlanView['tasks'][number];
export type Gap = api.PlanView['gaps'][number];
export type Kept = api.PlanView['kept'][number];

/** The gate that everything after identity resolution waits for: all identities are stored. */
export const IDENTITIES_GATE = 'gate:identities';
/** The gate that everything destructive waits for: all keys are stored. */
export const KEYS_GATE = 'gate:keys';
/** The gate that every last reading waits for: nothing more is erased. */
export const ERASED_GATE = 'gate:erased';

/** The gate that every change of a value waits for: the new values fit everywhere. */
export const VALIDATED_GATE = 'gate:validated';
/** The gate that every last reading waits for: nothing more is changed. */
export const CHANGED_GATE = 'gate:changed';

/** A task of one kind on one system; its key is `kind:system`. */
export function task(
  kind: api.TaskKind,
  system: PlannableSystem,
  dependsOn: readonly string[],
  explanation: string,
): PlannedTask {
  return {
    key: `${kind}:${system.key}`,
    kind,
    system: system.key,
    team: system.team,
    depends_on: [...dependsOn],
    explanation,
  };
}

/** A task without work that others wait for, so that a hundred tasks that wait for a hundred others are two hundred edges. */
export function gate(key: string, dependsOn: readonly string[], explanation: string): PlannedTask {
  return { key, kind: 'gate', system: null, team: null, depends_on: [...dependsOn], explanation };
}
