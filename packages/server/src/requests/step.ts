import type { Refusal, Step } from './change.ts';
import type { Event, Neighbourhood } from './event.ts';
import { stepRequest } from './step-request.ts';
import { type StepContext, stepTask } from './step-task.ts';

/**
 * The life of a request as a pure function: what one event changes. It is total: an event that does not fit is refused,
 * never thrown, so duplicates, late answers and reordering change nothing.
 */
export function step(before: Neighbourhood, event: Event, context: StepContext): Step | Refusal {
  switch (event.type) {
    case 'planned':
    case 'approved':
    case 'wait-over':
    case 'released':
    case 'legal-hold-placed':
    case 'legal-hold-lifted':
    case 'rejected':
    case 'cancelled':
    case 'held':
    case 'verification-asked':
    case 'verified':
    case 'expired':
    case 'merged':
      return stepRequest(before, event, context.now);
    default:
      if (before.task === undefined) return { refused: 'no task' };
      return stepTask({ ...before, task: before.task }, event, context);
  }
}
