import { HabeasError, newId } from '../foundation/index.ts';
import type { Courier } from './courier.ts';
import type { ToldReceiver } from './receivers.ts';

/** Whether a receiver took a test message. */
export interface TestResult {
  readonly receiver: string;
  readonly kind: ToldReceiver['kind'];
  /** Host of a webhook, or address of a mail. */
  readonly to: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface SendTestOptions {
  readonly courier: Courier;
  readonly receivers: readonly ToldReceiver[];
  readonly organizationId: string;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** Sends one message that says that it is a test to each receiver, all at the same time. */
export async function sendTest(options: SendTestOptions): Promise<readonly TestResult[]> {
  const { courier, organizationId, now, signal } = options;
  return Promise.all(
    options.receivers.map(async (receiver): Promise<TestResult> => {
      const { name, kind } = receiver;
      const to = receiver.kind === 'mail' ? receiver.to : receiver.url.host;
      const event = {
        organizationId,
        id: newId('evt', now),
        sequence: 0,
        at: now,
        type: 'notify.test',
        data: { receiver: name },
      };
      try {
        await courier.deliver(receiver, [event], signal);
        return { receiver: name, kind, to, error: null };
      } catch (error) {
        signal.throwIfAborted();
        const { code, message } = HabeasError.from(error);
        return { receiver: name, kind, to, error: { code, message } };
      }
    }),
  );
}
