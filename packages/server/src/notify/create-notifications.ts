import type { Config } from '../foundation/index.ts';
import { type CourierOptions, createCourier } from './courier.ts';
import { createDispatcher, type DispatcherOptions } from './dispatcher.ts';
import { type ProgramReceiver, receiversOf } from './receivers.ts';
import { RETRY_DELAYS } from './retry-delay.ts';
import { type ReceiverStatus, receiverStatuses } from './subscriptions.ts';

/** Tells teams, operators and programs what concerns them, by mail and webhook. */
export interface Notifications {
  /** Resolves when every receiver is told of all that is published from now on, by this process or another one. */
  start(): Promise<void>;
  /** Must come before the feed and the pool are closed. */
  stop(): Promise<void>;
  /** How the receivers of the configuration are doing. */
  statuses(): Promise<readonly ReceiverStatus[]>;
}

export interface CreateNotificationsOptions
  extends Pick<
      DispatcherOptions,
      | 'db'
      | 'pool'
      | 'organizationId'
      | 'feed'
      | 'logger'
      | 'tryMilliseconds'
      | 'schedule'
      | 'lookMilliseconds'
    >,
    CourierOptions {
  readonly config: Pick<Config, 'teams' | 'notify' | 'audit' | 'networks'>;
  readonly retry?: DispatcherOptions['retry'] | undefined;
  /** Told besides those of the configuration. */
  readonly programs?: readonly ProgramReceiver[];
}

export function createNotifications(options: CreateNotificationsOptions): Notifications {
  const { db, organizationId, clock, config, retry = RETRY_DELAYS } = options;
  const receivers = [...receiversOf(config), ...(options.programs ?? [])];
  const courier = createCourier(options);
  const dispatcher = createDispatcher({
    ...options,
    retry,
    receivers,
    deliver: courier.deliver,
    sendWebhook: courier.sendWebhook,
    giveUpMilliseconds: config.notify.give_up_after,
  });
  return {
    start: dispatcher.start,
    async stop() {
      await dispatcher.stop();
      courier.close();
    },
    statuses: () =>
      receiverStatuses(db, { organizationId, names: receivers.map(({ name }) => name), now: clock.now() }),
  };
}
