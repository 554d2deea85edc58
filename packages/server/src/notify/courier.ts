import { type Config, createOutbound, createOutboundPolicy, HabeasError } from '../foundation/index.ts';
import type { Deliver } from './follow-receiver.ts';
import { mailTextOf } from './mail-text.ts';
import { createMailSender, type MailSender, smtpAddress } from './send-mail.ts';
import {
  createWebhookSender,
  refused,
  type WebhookSender,
  type WebhookSenderOptions,
} from './send-webhook.ts';

export interface CourierOptions extends Pick<WebhookSenderOptions, 'clock' | 'sign' | 'timeoutMilliseconds'> {
  readonly config: Pick<Config, 'notify' | 'networks'>;
}

/** Brings events to receivers, by webhook or mail. */
export interface Courier {
  readonly deliver: Deliver;
  readonly sendWebhook: WebhookSender['send'];
  close(): void;
}

/** Throws CONFIG_INVALID if `networks.allow_private` has an entry that means nothing. */
export function createCourier(options: CourierOptions): Courier {
  const { config, timeoutMilliseconds } = options;
  const allowPrivate = config.networks.allow_private;
  const webhooks = createWebhookSender({
    ...options,
    outbound: createOutbound({ policy: createOutboundPolicy({ allowPrivate }) }),
  });
  const mails = createConfiguredMailSender(config, timeoutMilliseconds);

  return {
    sendWebhook: webhooks.send,
    async deliver(receiver, events, signal) {
      if (receiver.kind === 'program') return receiver.deliver(events, signal);
      if (receiver.kind === 'webhook') {
        for (const event of events) {
          if ((await webhooks.send(receiver, event, signal)) === 'gone') throw refused(receiver, 410);
        }
        return;
      }
      const [first] = events;
      if (first === undefined) return;
      if (mails === undefined) {
        throw new HabeasError(
          'CONFIG_INVALID',
          `${receiver.name} needs a mail server. Name it under notify.smtp.`,
        );
      }
      const id = `${first.id}.${receiver.name.replaceAll(/[^A-Za-z0-9_-]+/g, '-')}`;
      await mails.send({ ...mailTextOf(receiver, events), to: receiver.to, id }, signal);
    },
    close: () => webhooks.close(),
  };
}

/** Sends mails as the configuration says; undefined where it names no mail server. */
export function createConfiguredMailSender(
  { notify, networks }: Pick<Config, 'notify' | 'networks'>,
  timeoutMilliseconds?: number,
): MailSender | undefined {
  const { smtp } = notify;
  if (smtp === undefined) return undefined;
  // The mail server is part of the house, as a database is: naming it allows it, wherever it is.
  const policy = createOutboundPolicy({ allowPrivate: networks.allow_private, allow: [hostOf(smtp.url)] });
  return createMailSender({ smtp, timeoutMilliseconds, outbound: createOutbound({ policy }) });
}

function hostOf(url: string): string {
  const { hostname } = new URL(url);
  return `${hostname}:${smtpAddress(new URL(url)).port}`;
}
