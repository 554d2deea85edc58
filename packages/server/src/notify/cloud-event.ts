import type { StoredEvent } from './outbox.ts';

/** Of the body that {@link cloudEventOf} gives (CloudEvents 1.0, JSON format §3). */
export const CLOUD_EVENT_TYPE = 'application/cloudevents+json';

/** An event as CloudEvents 1.0 in JSON: ids, names, counts and states, as it is in the outbox. */
export function cloudEventOf(event: StoredEvent): string {
  return JSON.stringify({
    specversion: '1.0',
    id: event.id,
    source: `/organizations/${event.organizationId}`,
    type: event.type,
    time: event.at.toISOString(),
    ...(event.requestId === undefined ? {} : { subject: event.requestId }),
    datacontenttype: 'application/json',
    data: event.data,
  });
}
