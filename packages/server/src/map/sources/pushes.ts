import type { Database, DeclaredService } from '../../foundation/index.ts';
import type { GoodReading, MapSource } from '../map-source.ts';
import { readDeclaredServices } from './declared-services.ts';
import type { SourceTables } from './tables.ts';

/** What a job that is never scraped sends about itself. */
export interface Push {
  /** Names the job; what it sent before is replaced. */
  readonly job: string;
  /** After this time without another push the job counts as gone; milliseconds. */
  readonly ttl: number;
  readonly services: readonly DeclaredService[];
}

/** Jobs that pushed, and until when that counts. */
export interface Pushes {
  /** Remembers the push, and gives what it says. */
  accept(push: Push, now: Date): Promise<GoodReading>;
  /** The sources of all jobs that still count. */
  names(): Promise<readonly string[]>;
  /** Sources of jobs that did not push again in time: all that they declared is gone. */
  expired(now: Date): Promise<readonly MapSource[]>;
  /** What is expired was stored. */
  forget(source: string, now: Date): Promise<void>;
}

export function createPushes(db: Database, organizationId: string): Pushes {
  const tables = db.withTables<SourceTables>();
  return {
    async accept({ job, ttl, services }, now) {
      const source = `push:${job}`;
      const { declarations, rejections } = readDeclaredServices(services);
      const expires_at = new Date(now.getTime() + ttl);
      await tables
        .insertInto('map_pushes')
        .values({ organization_id: organizationId, source, expires_at })
        .onConflict((conflict) => conflict.columns(['organization_id', 'source']).doUpdateSet({ expires_at }))
        .execute();
      return readingOf(source, { declarations, rejections });
    },
    async names() {
      const rows = await tables
        .selectFrom('map_pushes')
        .select('source')
        .where('organization_id', '=', organizationId)
        .execute();
      return rows.map(({ source }) => source);
    },
    async expired(now) {
      const rows = await tables
        .selectFrom('map_pushes')
        .select('source')
        .where('organization_id', '=', organizationId)
        .where('expires_at', '<=', now)
        .orderBy('source')
        .execute();
      return rows.map(({ source: name }) => ({
        name,
        kind: 'push',
        read: async () => readingOf(name, { declarations: [], rejections: [] }),
      }));
    },
    async forget(source, now) {
      await tables
        .deleteFrom('map_pushes')
        .where('organization_id', '=', organizationId)
        .where('source', '=', source)
        .where('expires_at', '<=', now)
        .execute();
    },
  };
}

function readingOf(
  source: string,
  { declarations, rejections }: Pick<GoodReading, 'declarations' | 'rejections'>,
): GoodReading {
  return {
    state: 'read',
    source,
    declarations,
    rejections,
    problems: [],
    complete: rejections.length === 0,
  };
}
