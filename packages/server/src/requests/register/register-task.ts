import type { FlagEffect } from '../../connectors/index.ts';
import { type Database, HabeasError } from '../../foundation/index.ts';
import { RIGHTS } from '../rights.ts';
import type { TaskContext, TaskOutcome } from '../task-context.ts';
import type { Choice, Register, RegisterScope } from './register.ts';

/** A choice of a person as their request makes it, or takes it back. */
export interface NotedChoice extends RegisterScope, Choice {
  readonly effect: FlagEffect;
  /** When the request came. */
  readonly saidAt: Date;
}

/** Also told of each choice, in the transaction that notes it in the register. */
export type NoteChoice = (transaction: Database, choice: NotedChoice) => Promise<void>;

/** Notes the person's choice in the register, or takes it out, in the transaction that ends the task. */
export async function registerTask(
  context: TaskContext,
  register: Register,
  noteChoice: NoteChoice = async () => undefined,
): Promise<TaskOutcome> {
  const { request, ref, scope } = context;
  const { flag } = RIGHTS[request.right_kind];
  if (flag === undefined)
    throw new HabeasError('INTERNAL', `A ${request.right_kind} is nothing for the register.`);
  const choice = { flag, purposes: request.purposes };
  const notes = [request.lift ? 'taken out of the register' : 'noted in the register'];
  return {
    state: 'succeeded',
    matched: null,
    result: { evidence: { matched: false, counts: {}, retained: [], residuals: [], notes } },
    async also(transaction) {
      const whose = { ...ref, identities: scope.identities };
      const effect = request.lift ? 'lift' : 'set';
      await register[effect](transaction, whose, choice);
      await noteChoice(transaction, { ...whose, ...choice, effect, saidAt: request.received_at });
    },
  };
}
