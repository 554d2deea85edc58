import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { JetStreamApiError, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import * as z from 'zod';
import { HabeasError } from '../../foundation/index.ts';
import { authoritiesOf } from '../authorities.ts';
import type { ConnectionSettings } from '../connection-kind.ts';
import type { LifetimeStore } from './lifetime-store.ts';

const PAGE = 'connect-lifetimes.md';
const TIMEOUT_MILLISECONDS = 10_000;
const NANOSECONDS = 1_000_000;
/** JetStream's own number of "stream not found". */
const NO_STREAM = 10_059;

const optionsSchema = z.strictObject({ credentials: z.string().optional(), ca: z.string().optional() });

/** Streams of NATS JetStream, which tell how long they keep messages. */
export function openNatsStore({ key, url, folder, options }: ConnectionSettings): LifetimeStore {
  const invalid = (what: string) =>
    new HabeasError('CONFIG_INVALID', `The connection ${key} cannot be used. ${what}. See docs/${PAGE}.`);
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) throw invalid('`options` of a NATS has only `credentials` and `ca`');
  const { credentials, ca } = parsed.data;
  const address = URL.parse(url);
  if (address === null || !/^(?:nats|tls):$/.test(address.protocol) || address.hostname === '')
    throw invalid('`url` is the address of a server, as nats://user:password@nats.internal:4222');
  const authorities = authoritiesOf({ key, folder, ca, page: PAGE });
  let opened: { readonly connection: NatsConnection; readonly manager: JetStreamManager } | undefined;

  const open = async (): Promise<JetStreamManager> => {
    if (opened?.connection.isClosed() === false) return opened.manager;
    const connection = await connect({
      servers: `${address.hostname}:${address.port === '' ? 4222 : address.port}`,
      name: 'habeas',
      timeout: TIMEOUT_MILLISECONDS,
      // The next question connects anew.
      reconnect: false,
      ...(address.username === ''
        ? {}
        : { user: decodeURIComponent(address.username), pass: decodeURIComponent(address.password) }),
      ...(credentials === undefined
        ? {}
        : { authenticator: credsAuthenticator(readFileSync(resolve(folder, credentials))) }),
      // Without this the client would speak in the clear to a server that does not ask for TLS.
      ...(address.protocol === 'tls:' ? { tls: authorities === undefined ? {} : { ca: authorities } } : {}),
    });
    try {
      const manager = await jetstreamManager(connection, { timeout: TIMEOUT_MILLISECONDS });
      opened = { connection, manager };
      return manager;
    } catch (error) {
      await connection.close();
      throw error;
    }
  };

  return {
    things: 'messages',
    async lifetimeOf({ place }, signal) {
      signal.throwIfAborted();
      try {
        const { config } = await (await open()).streams.info(place);
        return {
          // Zero is no end.
          maxAge: config.max_age === 0 ? undefined : Math.ceil(config.max_age / NANOSECONDS),
          goesOn: undefined,
        };
      } catch (error) {
        throw failure(error, { key, place });
      }
    },
    overdue: async () => [],
    async close() {
      await opened?.connection.close();
      opened = undefined;
    },
  };
}

/** In words of ours; the client's own may quote what was sent. */
function failure(
  error: unknown,
  { key, place }: { readonly key: string; readonly place: string },
): HabeasError {
  if (error instanceof JetStreamApiError && error.code === NO_STREAM)
    return new HabeasError(
      'SCHEMA_MISMATCH',
      `NATS of ${key} has no stream "${place}". Correct the dataset.`,
    );
  const name = error instanceof Error ? error.name : 'unknown';
  return /Authorization|Permission|Authentication/i.test(name)
    ? new HabeasError('SYSTEM_REFUSED', `NATS of ${key} does not let Habeas in (${name}).`, {
        cause: error,
        retryable: true,
      })
    : new HabeasError('SYSTEM_UNREACHABLE', `NATS of ${key} cannot be used now (${name}).`, {
        cause: error,
        retryable: true,
      });
}
