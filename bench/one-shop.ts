import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../examples/acme/free-ports.ts';
import type { Bench } from './benchmark.ts';
import { type HabeasServer, startHabeas } from './habeas-server.ts';
import { prepareState } from './habeas-state.ts';
import { createDatabase, onDatabase } from './on-database.ts';
import { fillShop, SHOP_DATASET, SHOP_REFERENCES, SHOP_SCHEMA } from './shop-of-one.ts';

/** Makes the database of a shop in which one person has so many rows, settled as one that has been in use. */
export async function createShop(bench: Bench, options: { readonly name: string; readonly rows: number }) {
  const server = await bench.postgres();
  await createDatabase(server.superuserUrl(), options.name);
  await onDatabase(server.superuserUrl(options.name), async (client) => {
    await client.query(SHOP_SCHEMA);
    for (const statement of fillShop(options.rows)) await client.query(statement);
    await client.query(SHOP_REFERENCES);
    await client.query('vacuum analyze');
    await client.query('checkpoint');
  });
}

/** Habeas in a process of its own, with one connection: to a shop that may be made later. */
export async function serveShop(
  bench: Bench,
  options: {
    readonly name: string;
    /** (Default: the PostgreSQL database of that name) */
    readonly connection?: { readonly kind: string; readonly url: string };
    readonly execArgv?: readonly string[];
    readonly policy?: string;
  },
): Promise<{ readonly server: HabeasServer; readonly url: string; readonly key: string }> {
  const postgres = await bench.postgres();
  const folder = bench.folder(`habeas-${options.name}`);
  const state = `habeas_${options.name}`;
  await createDatabase(postgres.superuserUrl(), state);
  const databaseUrl = postgres.superuserUrl(state);
  const { kind, url } = options.connection ?? { kind: 'postgres', url: postgres.superuserUrl(options.name) };
  const config = join(folder, 'habeas.yaml');
  writeFileSync(join(folder, 'shop.yml'), SHOP_DATASET);
  if (options.policy !== undefined) writeFileSync(join(folder, 'policy.yml'), options.policy);
  writeFileSync(
    config,
    `organization: bench
data_dir: .
connections:
  - { key: shop, kind: ${kind}, team: shop, url: '\${SHOP_DATABASE_URL}', datasets: [shop.yml] }
${options.policy === undefined ? '' : 'policy: policy.yml\n'}`,
  );
  const { key } = await prepareState({ databaseUrl, organizationId: 'bench', dataDir: folder });
  const [port = 0] = await freePorts(1);
  const server = startHabeas({
    config,
    port,
    databaseUrl,
    environment: { SHOP_DATABASE_URL: url },
    log: join(folder, 'server.log'),
    execArgv: options.execArgv ?? [],
  });
  await server.ready;
  return { server, url: server.url, key };
}
