import { jetstream } from '@nats-io/jetstream';
import type { NatsConfig } from '../../foundation/index.ts';
import { type NatsLink, natsFailure } from './nats-link.ts';

export interface StreamMessage {
  readonly stream: string;
  readonly subject: string;
  /** By which the stream knows a repetition, for as long as its `duplicate_window` says. */
  readonly id: string;
  readonly body: string;
}

/** Resolves when the stream has stored the message. Throws SYSTEM_UNREACHABLE or SYSTEM_REFUSED; a stream that is not there is not made. */
export async function publishMessage(
  link: NatsLink,
  config: NatsConfig,
  { stream, subject, id, body }: StreamMessage,
): Promise<void> {
  try {
    const { connection } = await link.open();
    await jetstream(connection).publish(subject, body, { msgID: id, expect: { streamName: stream } });
  } catch (error) {
    throw natsFailure(error, config);
  }
}
