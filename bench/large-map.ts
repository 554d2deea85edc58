import type { Database, OpenDatabase } from '../packages/server/src/foundation/index.ts';
import { applyReading, type Declaration } from '../packages/server/src/map/index.ts';

const SERVICES = 1_000;
const FLOWS = 10_000;
const STORES = 2_000;
const TEAMS = 50;
const DATA_TYPES = 40;
const SOURCES = 20;
const INTERVALS = 1_000_000;
const HOUR = 3_600_000;
const HISTORY_HOURS = 516 * 24;

/** Whose map it is. */
export const LARGE_MAP_ORGANIZATION = 'bench';

export interface LargeMap {
  readonly teams: readonly string[];
  readonly services: readonly string[];
  readonly dataTypes: readonly string[];
  readonly categories: ReadonlyMap<string, string>;
  readonly sources: readonly string[];
  /** What holds now, each once. */
  readonly declarations: readonly Declaration[];
  /** When the history begins, and when it ends. */
  readonly from: Date;
  readonly now: Date;
}

/** A company of 1,000 services, whose history ends now; some receivers are nobody's. */
export function largeMap(random: () => number, now: Date): LargeMap {
  const numbered = (count: number, name: string) =>
    Array.from({ length: count }, (_, index) => `${name}-${index}`);
  const services = numbered(SERVICES, 'service');
  const teams = numbered(TEAMS, 'team');
  const dataTypes = numbered(DATA_TYPES, 'type');
  const some = (items: readonly string[]) => items[Math.floor(random() * items.length)] ?? '';
  const teamOf = (service: string) => teams[services.indexOf(service) % TEAMS] ?? '';
  const declarations = new Map<string, Declaration>();
  const own = services.slice(0, -20);
  while (declarations.size < FLOWS) {
    const service = some(own);
    const toService = some(services);
    const dataType = some(dataTypes);
    if (toService === service) continue;
    const flow = { kind: 'transmit' as const, team: teamOf(service), service, toService, dataType };
    declarations.set(JSON.stringify(flow), flow);
  }
  while (declarations.size < FLOWS + STORES) {
    const service = some(own);
    const store = { kind: 'store' as const, team: teamOf(service), service, dataType: some(dataTypes) };
    declarations.set(JSON.stringify(store), store);
  }
  const kinds = ['user.contact', 'user.contactless', 'user.device', 'user.financial'];
  return {
    teams,
    services,
    dataTypes,
    categories: new Map(
      dataTypes.map((name, index) => [name, `${kinds[index % kinds.length]}.kind_${index}`]),
    ),
    sources: numbered(SOURCES, 'source'),
    declarations: [...declarations.values()],
    from: new Date(now.getTime() - HISTORY_HOURS * HOUR),
    now,
  };
}

/** What one of the sources declares. */
export function declarationsOf(map: LargeMap, source: number): readonly Declaration[] {
  return map.declarations.filter((_, number) => number % SOURCES === source);
}

/** The metrics page of one of the sources. */
export function pageOf(map: LargeMap, source: number): string {
  const lines = declarationsOf(map, source).map((declaration) => {
    if (declaration.kind === 'client') throw new Error('The map has no clients.');
    const { kind, team, service, dataType } = declaration;
    const to = declaration.kind === 'transmit' ? `to_service="${declaration.toService}",` : '';
    return `${kind}{team="${team}",service="${service}",${to}data_type="${dataType}"} 1\n`;
  });
  return lines.join('');
}

/** Every declaration was there, and not there, again and again; now it is. */
export async function storeHistory({ db, pool }: OpenDatabase, map: LargeMap): Promise<void> {
  await poll(db, map, new Date(map.now.getTime() - HOUR));
  const rounds = Math.ceil(INTERVALS / map.declarations.length) - 1;
  const round = (map.now.getTime() - HOUR - map.from.getTime()) / rounds / 1_000;
  const times = [round, rounds - 1, map.from];
  await pool.query(
    `insert into map_declarations (
      organization_id, source, declaration, kind, team, service, to_service, data_type, number, first_seen, last_seen
    )
    select organization_id, source, declaration, kind, team, service, to_service, data_type, number,
      began, began + make_interval(secs => $1::float8 * (0.85 + 0.14 * random()))
    from map_declarations,
      generate_series(0, $2::integer) as round,
      lateral (
        select $3::timestamptz + make_interval(secs => $1::float8 * (round + 0.01 * random())) as began
      ) as start`,
    times,
  );
  await pool.query('vacuum analyze map_declarations');
  // What the next checkpoint would write of this beside what is measured.
  await pool.query('checkpoint');
}

/** Another poll in which every source says the same as before. */
export function pollAgain(db: Database, map: LargeMap): Promise<void> {
  return poll(db, map, map.now);
}

async function poll(db: Database, map: LargeMap, startedAt: Date): Promise<void> {
  for (const [index, source] of map.sources.entries()) {
    const declarations = declarationsOf(map, index);
    await applyReading(db, {
      organizationId: LARGE_MAP_ORGANIZATION,
      startedAt,
      reading: { state: 'read', source, declarations, rejections: [], problems: [], complete: true },
    });
  }
}
