import type { ModelTask } from '../request-model.ts';

/** A plan of four tasks (without gates, and without what people approve), and what its right asks of a system. */
export interface ExploredPlan {
  readonly right: string;
  readonly tasks: readonly ModelTask[];
  /** The task that asks the system for what the right is about. */
  readonly acts: string;
  /** Whether the request leaves the system other than it was. */
  readonly changes: boolean;
  /** Tasks that have to be done before the system is asked to act, unless a person left them out. */
  readonly before: readonly string[];
}

const ticket = (after: string): ModelTask => ({ key: 'ticket:b', kind: 'ticket', dependsOn: [after] });
const gate = (key: string, dependsOn: readonly string[]): ModelTask => ({ key, kind: 'gate', dependsOn });
/** Read for the last time, when the system and the team beside it are done. */
const readAfter = (acts: string): readonly ModelTask[] => [
  gate('gate:changed', [acts, 'ticket:b']),
  { key: 'confirm:a', kind: 'verify', dependsOn: ['gate:changed'] },
];

const erasure: ExploredPlan = {
  right: 'erasure',
  acts: 'erase:a',
  changes: true,
  before: ['locate:a'],
  tasks: [
    { key: 'locate:a', kind: 'locate', dependsOn: [] },
    gate('gate:keys', ['locate:a']),
    { key: 'erase:a', kind: 'erase', dependsOn: ['gate:keys'] },
    ticket('gate:keys'),
    ...readAfter('erase:a'),
  ],
};

/** More rows are found than one person may have destroyed. */
const fourEyes: ExploredPlan = {
  ...erasure,
  right: 'erasure, four eyes',
  before: ['locate:a', 'approval'],
  tasks: erasure.tasks.flatMap((task) =>
    task.key === 'gate:keys'
      ? [
          { key: 'approval', kind: 'approval' as const, dependsOn: ['locate:a'] },
          { ...task, dependsOn: ['locate:a', 'approval'] },
        ]
      : [task],
  ),
};

const rectification: ExploredPlan = {
  right: 'rectification',
  acts: 'rectify:a',
  changes: true,
  before: ['validate:a'],
  tasks: [
    { key: 'validate:a', kind: 'validate', dependsOn: [] },
    gate('gate:validated', ['validate:a']),
    { key: 'rectify:a', kind: 'rectify', dependsOn: ['gate:validated'] },
    ticket('gate:validated'),
    ...readAfter('rectify:a'),
  ],
};

/** The register says it first, so that whoever asks is told before any system is. */
const flag = (right: string, kind: 'restrict' | 'object'): ExploredPlan => ({
  right,
  acts: `${kind}:a`,
  changes: true,
  before: ['register'],
  tasks: [
    { key: 'register', kind: 'register', dependsOn: [] },
    gate('gate:keys', ['register']),
    { key: `${kind}:a`, kind, dependsOn: ['gate:keys'] },
    ticket('gate:keys'),
    ...readAfter(`${kind}:a`),
  ],
});

/** The register forgets it last: until every system is free of it, whoever asks is told that it holds. */
const lift: ExploredPlan = {
  right: 'restriction, lifted',
  acts: 'restrict:a',
  changes: true,
  before: [],
  tasks: [
    gate('gate:keys', []),
    { key: 'restrict:a', kind: 'restrict', dependsOn: ['gate:keys'] },
    ticket('gate:keys'),
    ...readAfter('restrict:a'),
    { key: 'register', kind: 'register', dependsOn: ['restrict:a', 'ticket:b', 'confirm:a'] },
  ],
};

const access: ExploredPlan = {
  right: 'access',
  acts: 'collect:a',
  changes: false,
  before: ['resolve:a'],
  tasks: [
    { key: 'resolve:a', kind: 'resolve', dependsOn: [] },
    gate('gate:identities', ['resolve:a']),
    { key: 'collect:a', kind: 'collect', dependsOn: ['gate:identities'] },
    ticket('gate:identities'),
    { key: 'package', kind: 'package', dependsOn: ['collect:a', 'ticket:b'] },
  ],
};

/**
 * One for each shape that a right has. To `step`, portability is an access and an opt-out an objection: no event and no kind of task
 * tells them apart.
 */
export const EXPLORED: readonly ExploredPlan[] = [
  access,
  erasure,
  fourEyes,
  rectification,
  flag('restriction', 'restrict'),
  lift,
  flag('objection, opt-out', 'object'),
];
