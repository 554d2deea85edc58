import type { ConnectionView, TaskState, TaskView } from '@habeas/contract/api';
import type { Tone } from '../theme/tones.ts';
import type { MapNode } from './collapse.ts';

/** How far a request is at a service. The first that is true of any of its tasks counts. */
export const PROGRESS = {
  failed: { sign: '✕', tone: 'bad', words: 'failed: a person is needed' },
  running: { sign: '▶', tone: 'busy', words: 'running' },
  waiting: { sign: '◷', tone: 'watch', words: 'waiting' },
  residual: { sign: '◔', tone: 'watch', words: 'done, copies end later' },
  skipped: { sign: '–', tone: 'quiet', words: 'left out' },
  done: { sign: '✓', tone: 'good', words: 'done' },
} as const satisfies Readonly<
  Record<string, { readonly sign: string; readonly tone: Tone; readonly words: string }>
>;

export type Progress = keyof typeof PROGRESS;

export interface ServiceProgress {
  readonly service: string;
  readonly progress: Progress;
  readonly tasks: readonly TaskView[];
  /** When the last copy ends that could not be removed; null: nobody knows, or there is none. */
  readonly until: string | null;
}

const OF_STATE: Readonly<Record<TaskState, Progress>> = {
  pending: 'waiting',
  ready: 'running',
  running: 'running',
  waiting: 'waiting',
  succeeded: 'done',
  skipped: 'skipped',
  blocked: 'failed',
  cancelled: 'skipped',
};

const ORDER = Object.keys(PROGRESS) as readonly Progress[];

const first = (all: readonly Progress[]): Progress | undefined => ORDER.find((one) => all.includes(one));

/** How far each service is. A system is called as its service, as `service@team`, or by the key of its connection. Pure. */
export function progressOf(
  tasks: readonly TaskView[],
  connections: readonly Pick<ConnectionView, 'key' | 'service'>[],
  now: Date,
): ReadonlyMap<string, ServiceProgress> {
  const serviceOfKey = new Map(connections.map(({ key, service }) => [key, service]));
  const serviceOf = (system: string) => serviceOfKey.get(system) ?? system.replace(/@[^@]*$/, '');
  const ofSystems = tasks.filter(({ system }) => system !== null);
  const groups = Map.groupBy(ofSystems, ({ system }) => serviceOf(system ?? ''));
  return new Map(
    [...groups].map(([service, group]) => {
      const left = group.flatMap(({ evidence }) => residualsAfter(evidence, now));
      const states = [
        ...group.map(({ state }) => OF_STATE[state]),
        ...(left.length > 0 ? (['residual'] as const) : []),
      ];
      const known = left.filter((until) => until !== null);
      const until = known.length < left.length ? null : (known.toSorted().at(-1) ?? null);
      return [service, { service, progress: first(states) ?? 'done', tasks: group, until }];
    }),
  );
}

/** Of a node that stands for several services: the first of what is true of any of them; undefined: it has no part in it. */
export function progressOfNode(
  node: Pick<MapNode, 'services'>,
  progress: ReadonlyMap<string, ServiceProgress>,
): Progress | undefined {
  return first(node.services.flatMap((service) => progress.get(service)?.progress ?? []));
}

function residualsAfter(evidence: TaskView['evidence'], now: Date): readonly (string | null)[] {
  return (evidence?.residuals ?? [])
    .map(({ until }) => until)
    .filter((until) => until === null || new Date(until) > now);
}
