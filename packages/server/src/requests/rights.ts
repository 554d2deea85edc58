import type { api } from '@habeas/contract';
import type { Flag } from '../catalog/index.ts';
import type { Capability } from '../connectors/index.ts';

interface RightRules {
  /** What a system has to be able to do, so that no person of its team has to. */
  readonly capability: Capability;
  /** The kind of the task that does it. */
  readonly task: Extract<api.TaskKind, 'collect' | 'erase' | 'rectify' | 'restrict' | 'object'>;
  /** What Habeas and the systems remember about the person from then on; undefined: nothing. */
  readonly flag: Flag | undefined;
  /** What is done to a system, after "to": also of a team that gets a ticket. */
  readonly words: string;
}

/** What each right asks of a system. */
export const RIGHTS: Readonly<Record<api.Right, RightRules>> = {
  access: { capability: 'collect', task: 'collect', flag: undefined, words: 'hand over' },
  portability: { capability: 'collect', task: 'collect', flag: undefined, words: 'hand over' },
  erasure: { capability: 'erase', task: 'erase', flag: undefined, words: 'erase' },
  rectification: { capability: 'rectify', task: 'rectify', flag: undefined, words: 'correct' },
  restriction: { capability: 'restrict', task: 'restrict', flag: 'restriction', words: 'restrict' },
  objection: { capability: 'object', task: 'object', flag: 'objection', words: 'note an objection' },
  opt_out_of_sale: {
    capability: 'object',
    task: 'object',
    flag: 'opt_out_of_sale',
    words: 'stop selling and sharing',
  },
  limit_sensitive_data: {
    capability: 'object',
    task: 'object',
    flag: 'limit_sensitive_data',
    words: 'limit the use of sensitive data of',
  },
};

/** Whether the request leaves systems other than they were. Such a request cannot be cancelled once it acts. */
export function changesSystems(request: { readonly right: api.Right; readonly dryRun: boolean }): boolean {
  return RIGHTS[request.right].task !== 'collect' && !request.dryRun;
}

/** Whether tasks of this kind change a system, when the request is no dry run. */
export function isChanging(kind: api.TaskKind): boolean {
  return (
    kind === 'register' || kind === 'erase' || kind === 'rectify' || kind === 'restrict' || kind === 'object'
  );
}

/** Whether a task of this kind that waits is ended by people, and no worker asks after it. */
export function waitsForPeople(kind: api.TaskKind): boolean {
  return kind === 'ticket' || kind === 'approval';
}

/** Whether it ends with a package. */
export function hasPackage(right: api.Right): boolean {
  return RIGHTS[right].task === 'collect';
}
