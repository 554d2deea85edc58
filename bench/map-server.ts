import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { freePorts } from '../examples/acme/free-ports.ts';
import { servePages } from '../packages/server/test/page-server.ts';
import type { Bench } from './benchmark.ts';
import { startHabeas } from './habeas-server.ts';
import { LARGE_MAP_ORGANIZATION, type LargeMap, pageOf } from './large-map.ts';
import { peakMemoryOf } from './resident-memory.ts';

export interface ServeMapOptions {
  readonly bench: Pick<Bench, 'folder'>;
  readonly map: LargeMap;
  /** Migrated, with the history of the map. */
  readonly databaseUrl: string;
  readonly key: string;
  /** Options of Node, such as `--cpu-prof`. (Default: none) */
  readonly execArgv?: readonly string[];
}

/** `habeas serve` on a large map, which its sources go on to declare. */
export interface MapServer extends AsyncDisposable {
  readonly url: string;
  /** The body of an answer of the REST API, received to its last byte. */
  ask(path: string, query: Readonly<Record<string, string | undefined>>): Promise<Buffer>;
  /** The most memory that the server has had, in MB. */
  peakMemory(): number;
}

/** Starts it, and does not wait for more than its first line: nothing is asked beforehand. */
export async function serveMap({ bench, map, key, ...options }: ServeMapOptions): Promise<MapServer> {
  const texts = map.sources.map((_, source) => pageOf(map, source));
  const pages = await servePages(({ url }, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(texts[Number(url?.split('/').at(-1))]);
  });
  const folder = bench.folder('map-answers');
  const config = join(folder, 'habeas.yaml');
  writeFileSync(config, configOf(map, pages.url));
  const [port = 0] = await freePorts(1);
  const { databaseUrl, execArgv = [] } = options;
  const log = join(folder, 'server.log');
  const server = startHabeas({ config, port, databaseUrl, environment: {}, log, execArgv });
  const agent = new Agent({ keepAlive: true });
  const stop = async () => {
    agent.destroy();
    await server.end('SIGTERM');
    await pages.close();
  };
  try {
    await server.ready;
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: server.url,
    async ask(path, query) {
      const given = Object.entries(query).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      const url = new URL(`${path}?${new URLSearchParams(given)}`, server.url);
      const sent = request(url, { agent, headers: { authorization: `Bearer ${key}` } }).end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      const body = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>));
      if (response.statusCode !== 200) throw new Error(`${path} is answered with ${body}`);
      return body;
    },
    peakMemory: () => peakMemoryOf(server.pid),
    [Symbol.asyncDispose]: stop,
  };
}

function configOf(map: LargeMap, pages: string): string {
  return JSON.stringify({
    organization: LARGE_MAP_ORGANIZATION,
    data_dir: '.',
    data_types: Object.fromEntries(map.categories),
    map: { scrape: map.sources.map((name, source) => ({ name, url: `${pages}/${source}` })) },
  });
}
