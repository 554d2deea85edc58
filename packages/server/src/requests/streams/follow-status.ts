import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  jetstream,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import {
  HabeasError,
  type Logger,
  type NatsConfig,
  pause,
  type StatusMapping,
} from '../../foundation/index.ts';
import type { ReceivedReport } from '../reports.ts';
import { type NatsLink, natsFailure } from './nats-link.ts';
import { readStatus } from './read-status.ts';

export interface FollowStatusOptions {
  readonly link: NatsLink;
  readonly config: NatsConfig;
  readonly organizationId: string;
  /** Resolves when the report is stored; then, and only then, the message is acknowledged. */
  readonly take: (report: ReceivedReport) => Promise<void>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Messages that one server has in hand at once. */
const IN_HAND = 64;
/** What was not acknowledged for so long is delivered again, to another server if this one is gone. */
const ACK_WAIT_MILLISECONDS = 30_000;
const AGAIN_MILLISECONDS = 1_000;
const FIRST_PAUSE_MILLISECONDS = 500;
const LONGEST_PAUSE_MILLISECONDS = 30_000;
/** The server says at least this often that it is there; two silences, and the messages are asked for anew. */
const HEARTBEAT_MILLISECONDS = 5_000;

/**
 * Follows the events of one mapping until the signal is aborted. The consumer is durable and its name is that of organization and
 * mapping, so that several servers share it, and events that come while none runs wait in the stream.
 */
export async function followStatus(mapping: StatusMapping, options: FollowStatusOptions): Promise<void> {
  const { signal, logger } = options;
  let rest = FIRST_PAUSE_MILLISECONDS;
  while (!signal.aborted) {
    try {
      const messages = await begin(mapping, options);
      rest = FIRST_PAUSE_MILLISECONDS;
      await consume(messages, mapping, options);
    } catch (error) {
      if (signal.aborted) return;
      const { code, message } = natsFailure(error, options.config);
      logger.warn(
        { status: mapping.name, code, reason: message },
        'events of a system cannot be followed; trying again',
      );
    }
    await pause(rest, signal);
    rest = Math.min(rest * 2, LONGEST_PAUSE_MILLISECONDS);
  }
}

/** A name without characters that consumers may not have; different names stay different. */
export function consumerName(organizationId: string, mapping: Pick<StatusMapping, 'name'>): string {
  const plain = (text: string) =>
    text.replaceAll(/[^A-Za-z0-9-]/g, (one) => `_${one.codePointAt(0)?.toString(16)}_`);
  return `habeas-${plain(organizationId)}-${plain(mapping.name)}`;
}

async function begin(mapping: StatusMapping, options: FollowStatusOptions): Promise<ConsumerMessages> {
  const { connection, manager } = await options.link.open();
  const name = consumerName(options.organizationId, mapping);
  await ensureConsumer(manager, { mapping, name });
  const consumer = await jetstream(connection).consumers.get(mapping.stream, name);
  return consumer.consume({ max_messages: IN_HAND, idle_heartbeat: HEARTBEAT_MILLISECONDS });
}

async function ensureConsumer(
  manager: JetStreamManager,
  { mapping, name }: { readonly mapping: StatusMapping; readonly name: string },
): Promise<void> {
  const { stream, subject } = mapping;
  const found = await manager.consumers.info(stream, name).catch((error: unknown) => {
    if (isMissing(error, 'consumer')) return undefined;
    throw error;
  });
  if (found === undefined) {
    await manager.consumers.add(stream, {
      durable_name: name,
      ack_policy: AckPolicy.Explicit,
      // What was emitted before Habeas followed is about nothing that Habeas asked for.
      deliver_policy: DeliverPolicy.New,
      filter_subject: subject,
      ack_wait: nanos(ACK_WAIT_MILLISECONDS),
      max_ack_pending: IN_HAND * 4,
    });
  } else if (found.config.filter_subject !== subject) {
    await manager.consumers.update(stream, name, { ...found.config, filter_subject: subject });
  }
}

/** `consumer not found` (10014) or `stream not found` (10059) of the JetStream API. */
export function isMissing(error: unknown, what: 'consumer' | 'stream'): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === (what === 'consumer' ? 10_014 : 10_059);
}

async function consume(
  messages: ConsumerMessages,
  mapping: StatusMapping,
  options: FollowStatusOptions,
): Promise<void> {
  const { signal } = options;
  const stop = () => messages.stop();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const watching = stopWhenLost(messages);
  const working = new Set<Promise<void>>();
  try {
    for await (const message of messages) {
      const work = handle(message, mapping, options).finally(() => working.delete(work));
      working.add(work);
      if (working.size >= IN_HAND) await Promise.race(working);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    messages.stop();
    await Promise.all(working);
    await watching;
  }
}

/** Ends what would wait for ever: the consumer or its stream is gone, or the server is silent. */
async function stopWhenLost(messages: ConsumerMessages): Promise<void> {
  for await (const status of messages.status()) {
    const isSilent = status.type === 'heartbeats_missed' && status.count >= 2;
    const isGone = ['consumer_not_found', 'consumer_deleted', 'stream_not_found'].includes(status.type);
    if (isSilent || isGone)
      messages.stop(
        isGone ? new HabeasError('SYSTEM_FAILED', 'The stream or the consumer is gone.') : undefined,
      );
  }
}

/** Never throws: what cannot be stored now comes again. */
async function handle(message: JsMsg, mapping: StatusMapping, options: FollowStatusOptions): Promise<void> {
  const { logger, take } = options;
  const read = readStatus(mapping, {
    subject: message.subject,
    body: message.string(),
    storedAt: new Date(message.info.timestampNanos / 1_000_000),
  });
  if (read.kind === 'skipped') return message.ack();
  const sequence = `${message.info.stream}.${message.seq}`;
  if (read.kind === 'unreadable') {
    logger.warn(
      { status: mapping.name, message: sequence, why: read.why },
      'an event of a system cannot be read; it is passed over',
    );
    return message.term();
  }
  try {
    await take({
      ...read.report,
      source: mapping.name,
      system: mapping.system,
      messageId: message.headers?.get('Nats-Msg-Id') || sequence,
    });
    message.ack();
  } catch (error) {
    logger.warn(
      { err: error, status: mapping.name, message: sequence },
      'an event of a system could not be stored; it comes again',
    );
    message.nak(AGAIN_MILLISECONDS);
  }
}
