import { isEnded } from '../../src/requests/snapshot.ts';
import { RequestModel } from '../request-model.ts';
import { lateReports } from './system-moves.ts';
import { tryEvent } from './try-event.ts';
import { lateAnswers } from './worker-moves.ts';
import { type Rules, taskOf, type World } from './world.ts';

/** What must hold in every state (docs/architecture.md, "What must always hold"); the text says what does not. */
export function wrongIn(rules: Rules, world: World): readonly string[] {
  const { plan } = rules;
  return [
    ...RequestModel.at(plan.tasks, world).wrongState(),
    ...wrongEnd(rules, world),
    ...wrongHold(world),
    ...wrongEffects(rules, world),
    ...wrongLate(rules, world),
  ];
}

/** Completed means done, or left out by a person with a reason; cancelled means that nothing was done. */
function wrongEnd({ plan }: Rules, world: World): readonly string[] {
  const { request, operations, workers } = world;
  const wrong: string[] = [];
  const leftOut = world.tasks.some(({ state }) => state === 'skipped');
  if (request.state === 'completed' && !world.holds && !leftOut)
    wrong.push('completed while the system does not say what it has to');
  if (request.state === 'completed' && !leftOut)
    for (const { key, state } of world.tasks)
      if (state !== 'succeeded') wrong.push(`completed while ${key} is ${state}`);
  const early = ['cancelled', 'rejected', 'expired'].includes(request.state);
  if (early && plan.changes && operations.length > 0)
    wrong.push(`${request.state} after a system was changed`);
  if (early && plan.changes && workers.some((one) => one?.task === plan.acts))
    wrong.push(`${request.state} while a worker changes a system`);
  return wrong;
}

/** Under a legal hold nothing goes on: the request is held, and says from where. */
function wrongHold({ request }: World): readonly string[] {
  const wrong: string[] = [];
  if ((request.legalHolds ?? []).length > 0 && request.state !== 'held')
    wrong.push(`${request.state} under a legal hold`);
  if ((request.state === 'held') !== (request.heldFrom !== null))
    wrong.push(`${request.state}, held from ${request.heldFrom}`);
  return wrong;
}

/** What has to be there before a system is changed is there, and it is changed once under each key that is owed to it. */
function wrongEffects({ plan }: Rules, world: World): readonly string[] {
  const wrong: string[] = [];
  const approvers = new Set(world.request.approval?.given).size;
  const begun = world.operations.length > 0 || world.request.destructionStarted;
  if (begun && approvers < 2 && plan.before.includes('approval'))
    wrong.push(`${plan.acts} began, and ${approvers} approved`);
  if (world.operations.length === 0) return wrong;
  for (const key of plan.before) {
    const { state, generation } = taskOf(world, key);
    if (state !== 'succeeded' && state !== 'skipped' && generation === 1)
      wrong.push(`${plan.acts} began while ${key} is ${state}`);
  }
  const { generation } = taskOf(world, plan.acts);
  if (world.operations.length > generation)
    wrong.push(`${plan.acts} took effect under ${world.operations.length} keys instead of ${generation}`);
  const register = world.tasks.find(({ kind }) => kind === 'register');
  const forgotten = register?.state === 'succeeded' && !plan.before.includes(register.key);
  const leftOut = world.tasks.some(({ state }) => state === 'skipped');
  if (forgotten && !world.holds && !leftOut) wrong.push('the register forgot it before the system did');
  return wrong;
}

/** Answers and reports that are late, or come twice, change nothing; and nothing changes a request that has ended. */
function wrongLate(rules: Rules, world: World): readonly string[] {
  const wrong: string[] = [];
  for (const { task, event } of [...lateAnswers(world), ...lateReports(world)])
    if (tryEvent(rules, world, event, task) !== undefined)
      wrong.push(`a late ${event.type} of ${task} changed something`);
  if (!isEnded(world.request.state)) return wrong;
  for (const type of ['cancelled', 'rejected', 'held'] as const)
    if (tryEvent(rules, world, { type, reason: 'r' }) !== undefined)
      wrong.push(`${type} after it was ${world.request.state}`);
  return wrong;
}
