import {
  type Config,
  type Database,
  HabeasError,
  type Logger,
  type NatsConfig,
} from '../../foundation/index.ts';
import type { ProgramReceiver } from '../../notify/index.ts';
import type { ReceivedReport } from '../reports.ts';
import { followStatus } from './follow-status.ts';
import { createNatsLink } from './nats-link.ts';
import { publishMessage, type StreamMessage } from './publish-message.ts';
import { createTaskPublisher } from './publish-tasks.ts';

export interface StreamsOptions {
  readonly config: Pick<Config, 'streams' | 'folder'>;
  readonly organizationId: string;
  readonly db: Database;
  readonly logger: Logger;
  /** Stores what a system said; the message is acknowledged when it resolves. */
  readonly take: (report: ReceivedReport) => Promise<void>;
}

/** Streams of events, both ways: tasks go out, and systems say how their work ends. */
export interface Streams {
  /** What is told on streams; the notifications deliver it. */
  readonly receivers: readonly ProgramReceiver[];
  /** Puts a message on a stream that is there, and resolves when it is stored; a repetition is known by its id. Throws CONFIG_INVALID without a stream in the configuration. */
  publish(message: StreamMessage): Promise<void>;
  /** Follows what systems say, from now on and without waiting for a stream to be there. */
  start(): void;
  stop(): Promise<void>;
  /** One sentence that says what was reached, or throws what is wrong; undefined without a stream in the configuration. */
  check(): Promise<string | undefined>;
}

export function createStreams(options: StreamsOptions): Streams {
  const { nats } = options.config.streams;
  return nats === undefined ? NONE : natsStreams(nats, options);
}

const NONE: Streams = {
  receivers: [],
  publish: async () => {
    throw new HabeasError('CONFIG_INVALID', 'There is no streams.nats. Name its servers there.');
  },
  start: () => undefined,
  stop: async () => undefined,
  check: async () => undefined,
};

function natsStreams(nats: NatsConfig, options: StreamsOptions): Streams {
  const link = createNatsLink(nats, options.config.folder);
  const closing = new AbortController();
  let following: Promise<unknown> = Promise.resolve();
  return {
    receivers:
      nats.tasks === undefined
        ? []
        : [createTaskPublisher({ ...options, link, config: { ...nats, tasks: nats.tasks } })],
    publish: (message) => publishMessage(link, nats, message),
    start() {
      const follow = { ...options, link, config: nats, signal: closing.signal };
      following = Promise.all(nats.status.map((mapping) => followStatus(mapping, follow)));
    },
    async stop() {
      closing.abort();
      await following;
      await link.close();
    },
    async check() {
      const { connection, manager } = await link.open();
      for (const stream of new Set(nats.status.map((mapping) => mapping.stream)))
        await manager.streams.info(stream);
      return `NATS at ${connection.getServer()} answers; ${nats.status.length} kinds of events are followed.`;
    },
  };
}
