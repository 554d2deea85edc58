import { HabeasError } from '../../foundation/index.ts';
import { RIGHTS } from '../rights.ts';
import type { TaskContext, TaskOutcome } from '../task-context.ts';
import type { Register } from './register.ts';

/** Notes the person's choice in the register, or takes it out, in the transaction that ends the task. */
export async function registerTask(context: TaskContext, register: Register): Promise<TaskOutcome> {
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
    also: (transaction) =>
      register[request.lift ? 'lift' : 'set'](transaction, { ...ref, identities: scope.identities }, choice),
  };
}
