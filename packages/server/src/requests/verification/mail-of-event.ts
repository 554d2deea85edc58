import type { MailKind, StoredEvent } from '../../notify/index.ts';

/** Types of events that may make a mail to the person. */
export const TOLD_EVENTS: readonly string[] = ['request.*'];

/**
 * Which mail to the person an event makes; undefined: none. The one place that says so: an event that people should hear of is added
 * here, and its template is a file.
 *
 * `request.received` is told only of a request that somebody vouched for: the others are told with their code, and again when it
 * is proved that they are who they say.
 */
export function mailOfEvent({ type, data }: Pick<StoredEvent, 'type' | 'data'>): MailKind | undefined {
  switch (type) {
    case 'request.verification-asked':
    case 'request.code-asked':
      return 'code';
    case 'request.received':
      return 'received';
    case 'request.verified':
      return 'verified';
    case 'request.planned':
      return data.next === 'running' ? 'started' : undefined;
    case 'request.wait-over':
      return 'started';
    case 'request.extended':
      return 'extended';
    case 'request.completed':
      return 'completed';
    case 'request.rejected':
      return 'rejected';
    default:
      return undefined;
  }
}
