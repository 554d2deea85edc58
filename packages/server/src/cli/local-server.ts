import { isAbsolute, resolve } from 'node:path';
import { type Config, closeAll, type Logger } from '../foundation/index.ts';
import type { LocalServer, OpenStateOptions, State } from './cli-parts.ts';
import type { CliContext } from './context.ts';
import { type Address, anyFreePort, ensurePortIsFree } from './port.ts';
import { openPostgres, type Postgres } from './postgres.ts';

/** A pool waits for connections that are not given back, and PostgreSQL for its checkpoint. */
const CLOSE_MILLISECONDS = 20_000;

/** Where the configuration keeps its data; absolute. */
export function dataDirOf(config: Config): string {
  return isAbsolute(config.data_dir) ? config.data_dir : resolve(config.folder, config.data_dir);
}

/** The address at which services reach a server that listens there. */
export function publicUrlOf(config: Config, { host, port }: Address): string {
  if (config.listen.public_url !== undefined) return config.listen.public_url;
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

export interface OpenedState {
  readonly postgres: Postgres;
  readonly state: State;
  close(): Promise<void>;
}

/** PostgreSQL, migrated, with its keys. */
export async function openStateOf(
  context: CliContext,
  config: Config,
  options: Pick<OpenStateOptions, 'logger' | 'firstKey'> & { readonly onProgress: (line: string) => void },
): Promise<OpenedState> {
  const { environment, parts } = context;
  const dataDir = dataDirOf(config);
  const postgres = await openPostgres({ dataDir, environment, onProgress: options.onProgress });
  try {
    const state = await parts.openState({
      databaseUrl: postgres.url(),
      organizationId: config.organization,
      auditOrigin: config.audit.origin,
      checkpointPlaces: config,
      dataDir,
      environment,
      logger: options.logger,
      firstKey: options.firstKey ?? 'make',
    });
    const close = () =>
      closeAll(
        [
          { name: 'database', close: () => state.close() },
          { name: 'postgres', close: () => postgres.stop() },
        ],
        { logger: options.logger, withinMilliseconds: CLOSE_MILLISECONDS },
      );
    return { postgres, state, close };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

export interface Served {
  readonly url: string;
  readonly firstKey: string | undefined;
  readonly state: State;
  readonly server: LocalServer;
  close(): Promise<void>;
}

/** Starts everything that `habeas serve` runs. Looks at the port first: nothing is started for a server that cannot listen. */
export async function startServer(
  context: CliContext,
  config: Config,
  options: { readonly logger: Logger; readonly onProgress: (line: string) => void },
): Promise<Served> {
  const { host } = config.listen;
  const port = config.listen.port === 0 ? await anyFreePort(host) : config.listen.port;
  await ensurePortIsFree({ host, port });
  const opened = await openStateOf(context, config, options);
  try {
    const server = await opened.state.createServer(config, {
      publicUrl: publicUrlOf(config, { host, port }),
    });
    const close = () =>
      closeAll(
        [
          { name: 'server', close: () => server.close() },
          { name: 'state', close: () => opened.close() },
        ],
        { logger: options.logger, withinMilliseconds: 2 * CLOSE_MILLISECONDS },
      );
    try {
      const url = await server.listen({ host, port });
      return { url, firstKey: opened.state.firstKey, state: opened.state, server, close };
    } catch (error) {
      await server.close();
      throw error;
    }
  } catch (error) {
    await opened.close();
    throw error;
  }
}
