import type { Systems } from '../../connectors/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import type { WebhookAddress, WebhookPoster } from '../../notify/index.ts';
import { consentMessage, ketchMessage, toldPurposes } from './consent-message.ts';
import type { Delivery } from './deliveries.ts';
import type { Destination } from './destination.ts';
import { type SystemAnswer, tellSystem } from './tell-system.ts';

/** Puts a message on a stream, and resolves when it is stored there. The stream knows a repetition by its id. */
export type PublishOnStream = (message: {
  readonly stream: string;
  readonly subject: string;
  readonly id: string;
  readonly body: string;
}) => Promise<void>;

export interface SendConsentOptions {
  readonly destination: Destination;
  readonly bits: ReadonlyMap<string, number>;
  readonly webhooks: Pick<WebhookPoster, 'post'>;
  readonly systems: Pick<Systems, 'connector'>;
  readonly publishOnStream: PublishOnStream;
}

const DONE: SystemAnswer = { operations: {}, retryAfterSeconds: 0 };

/** Tells a destination one person's state; `gone`: it says that it is there no more. Whatever it throws, the destination may have been told. */
export function sendConsent({
  destination,
  bits,
  webhooks,
  systems,
  publishOnStream,
}: SendConsentOptions): (delivery: Delivery, signal: AbortSignal) => Promise<SystemAnswer | 'gone'> {
  const { by, organizationId } = destination;
  return async (delivery, signal) => {
    const purposes = toldPurposes(destination, delivery, bits);
    switch (by.kind) {
      case 'webhook': {
        const { url, secret, former_secrets: formerSecrets, ketch } = by.webhook;
        const to: WebhookAddress = {
          name: `consent.destinations.${destination.key}`,
          url: new URL(url),
          secret,
          formerSecrets,
        };
        const message =
          ketch === undefined
            ? {
                body: consentMessage(destination, delivery, purposes),
                contentType: 'application/cloudevents+json',
              }
            : {
                body: ketchMessage(destination, delivery, purposes, ketch),
                contentType: 'application/json',
              };
        const answer = await webhooks.post(to, { id: delivery.id, ...message }, signal);
        return answer === 'gone' ? answer : DONE;
      }
      case 'stream':
        await publishOnStream({
          stream: by.stream.name,
          subject: by.stream.subject,
          id: delivery.id,
          body: consentMessage(destination, delivery, purposes),
        });
        return DONE;
      case 'system': {
        const connector = await systems.connector(by.system, undefined).catch((reason: unknown) => {
          throw notApproved(HabeasError.from(reason), by.system);
        });
        return tellSystem(connector, { system: by.system, organizationId, delivery, purposes, signal });
      }
      default:
        return by satisfies never;
    }
  };
}

/** What to do where nothing answers for a system is another thing here than for a task of a request. */
function notApproved(error: HabeasError, system: string): HabeasError {
  if (error.code !== 'ADDRESS_NOT_APPROVED') return error;
  return new HabeasError(
    error.code,
    `Nothing approved answers for ${system}. Approve its client (\`habeas clients list\`), or take it out of consent.destinations.`,
    { cause: error },
  );
}
