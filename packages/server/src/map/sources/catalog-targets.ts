import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import { sourceName } from '../source-name.ts';

/** Targets with the same labels, as `http_sd_configs` of Prometheus reads them. */
export interface TargetGroup {
  /** `host:port`. */
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface CatalogTargetsOptions {
  readonly db: Database;
  readonly organizationId: string;
  /** Metrics pages of the configuration. */
  readonly pages: readonly string[];
  readonly clients: readonly {
    readonly team: string;
    readonly service: string | undefined;
    readonly address: string;
    readonly protocol: string;
    readonly state: string;
  }[];
}

/** Where the services of the map can be asked for metrics, and the approved clients. No secrets of URLs are among it. */
export async function catalogTargets(options: CatalogTargetsOptions): Promise<readonly TargetGroup[]> {
  const owners = await readOwners(options);
  const pages = options.pages.map((page): TargetGroup => {
    const { protocol, host, pathname, port } = new URL(page);
    const [owner, ...others] = owners.get(sourceName(page)) ?? [];
    const tls = protocol === 'https:';
    return {
      targets: [port === '' ? `${host}:${tls ? 443 : 80}` : host],
      labels: {
        ...(owner !== undefined && others.length === 0 ? owner : {}),
        ...(tls ? { __scheme__: 'https' } : {}),
        ...(pathname === '/metrics' ? {} : { __metrics_path__: pathname }),
        habeas_role: 'metrics',
      },
    };
  });
  const clients = options.clients
    .filter(({ state }) => state === 'approved')
    .map(({ team, service, address, protocol }) => ({
      targets: [address],
      labels: { team, ...(service === undefined ? {} : { service }), protocol, habeas_role: 'client' },
    }));
  return [...pages, ...clients];
}

/** Source → whose services are declared on it. */
async function readOwners({ db, organizationId }: CatalogTargetsOptions) {
  const { rows } = await sql<{ source: string; team: string; service: string }>`
    select distinct source, team, service from map_declarations
    where organization_id = ${organizationId} and kind <> 'client' and last_seen is null
    order by source, team, service`.execute(db);
  const owners = new Map<string, { team: string; service: string }[]>();
  for (const { source, team, service } of rows)
    owners.set(source, [...(owners.get(source) ?? []), { team, service }]);
  return owners;
}
