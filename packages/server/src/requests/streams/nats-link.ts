import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { HabeasError, type NatsConfig } from '../../foundation/index.ts';

/** One connection to NATS, made when it is first needed and made anew after it ended. */
export interface NatsLink {
  /** Throws SYSTEM_UNREACHABLE or SYSTEM_REFUSED, with the servers and without secrets. */
  open(): Promise<OpenNats>;
  close(): Promise<void>;
}

export interface OpenNats {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
}

const TIMEOUT_MILLISECONDS = 5_000;
/** A server that is away is tried again this often by the client itself, for as long as Habeas runs. */
const RECONNECT_MILLISECONDS = 1_000;

export function createNatsLink(config: NatsConfig, folder: string): NatsLink {
  let opening: Promise<OpenNats> | undefined;

  async function make(): Promise<OpenNats> {
    const connection = await connect({
      servers: config.servers,
      name: 'habeas',
      timeout: TIMEOUT_MILLISECONDS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MILLISECONDS,
      ...signIn(config, folder),
    });
    try {
      return { connection, manager: await jetstreamManager(connection) };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  return {
    async open() {
      const known = await opening?.catch(() => undefined);
      if (known !== undefined && !known.connection.isClosed()) return known;
      opening = make();
      try {
        return await opening;
      } catch (error) {
        opening = undefined;
        throw natsFailure(error, config);
      }
    },
    async close() {
      const known = await opening?.catch(() => undefined);
      opening = undefined;
      await known?.connection.close();
    },
  };
}

/** A failure of NATS in words of ours; the client's own may quote what was sent. */
export function natsFailure(error: unknown, { servers }: Pick<NatsConfig, 'servers'>): HabeasError {
  if (error instanceof HabeasError) return error;
  const name = error instanceof Error ? error.name : 'unknown';
  const where = servers.map((server) => new URL(server).host).join(', ');
  const isRefusal = /Authorization|Permission|Authentication/i.test(name);
  return isRefusal
    ? new HabeasError(
        'SYSTEM_REFUSED',
        `NATS at ${where} does not let Habeas in (${name}). Correct streams.nats.`,
        {
          cause: error,
        },
      )
    : new HabeasError('SYSTEM_UNREACHABLE', `NATS at ${where} could not do what it was asked (${name}).`, {
        cause: error,
        retryable: true,
      });
}

function signIn(config: NatsConfig, folder: string) {
  const { servers, token, user, password, credentials } = config;
  // Without this the client would speak in the clear to a server that does not ask for TLS.
  const tls = config.tls ?? (servers.some((server) => server.startsWith('tls:')) ? {} : undefined);
  const file = (path: string | undefined) => (path === undefined ? undefined : resolve(folder, path));
  return {
    ...(token === undefined ? {} : { token }),
    ...(user === undefined ? {} : { user, pass: password ?? '' }),
    ...(credentials === undefined
      ? {}
      : { authenticator: credsAuthenticator(readFileSync(resolve(folder, credentials))) }),
    ...(tls === undefined
      ? {}
      : {
          tls: withoutAbsent({
            caFile: file(tls.ca),
            certFile: file(tls.certificate),
            keyFile: file(tls.key),
          }),
        }),
  };
}

function withoutAbsent(entries: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(entries).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
