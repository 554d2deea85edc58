import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import { type Clock, type Database, HabeasError, type Logger, sha256Hex } from '../../foundation/index.ts';
import type { PurposeFile } from '../purposes/index.ts';
import { noticeVersion, wholeNotice } from './notice.ts';

/** What people were ever shown, by the version that stands in their signals. */
export interface ConsentNotices {
  /** Keeps the notice of the configuration, if it is not kept yet. */
  keep(): Promise<void>;
  /** All texts that a version had, the first ones first; there are several only where somebody changed texts and not the version. Throws NOT_FOUND. */
  get(organizationId: string, version: string): Promise<api.ConsentNoticeTexts>;
  /** Whether Global Privacy Control opts out of anything, and since when the notice says so; undefined: there are no purposes. */
  gpc(): Promise<{ readonly gpc: boolean; readonly since: Date } | undefined>;
}

export interface ConsentNoticesOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly file: PurposeFile;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createNotices({
  db,
  organizationId,
  file,
  clock,
  logger,
}: ConsentNoticesOptions): ConsentNotices {
  const version = noticeVersion(file);
  const content = JSON.stringify(wholeNotice(file));
  const hash = Buffer.from(sha256Hex(content), 'hex');
  const kept = async (organization: string, asked: string) => {
    const { rows } = await sql<{ since: Date; hash: Buffer; content: string }>`
      select since, hash, content from consent_notices
      where organization_id = ${organization} and version = ${asked} order by since, hash`.execute(db);
    return rows;
  };

  return {
    async keep() {
      if (file.purposes.length === 0) return;
      const before = await kept(organizationId, version);
      if (before.some((row) => row.hash.equals(hash))) return;
      await sql`
        insert into consent_notices (organization_id, version, hash, since, content)
        values (${organizationId}, ${version}, ${hash}, ${clock.now()}, ${content}) on conflict do nothing`.execute(
        db,
      );
      if (before.length > 0)
        logger.warn(
          { version },
          'what people read changed, and notice.version did not: nobody can tell from a signal which of them was shown',
        );
    },
    async get(organization, asked) {
      const rows = await kept(organization, asked);
      if (rows.length === 0)
        throw new HabeasError('NOT_FOUND', 'No notice of this version was ever shown by this server.');
      const items = rows.map((row) => ({ since: row.since.toISOString(), ...JSON.parse(row.content) }));
      return { version: asked, items };
    },
    async gpc() {
      if (file.purposes.length === 0) return undefined;
      const now = (await kept(organizationId, version)).find((row) => row.hash.equals(hash));
      return { gpc: file.purposes.some(({ gpc }) => gpc), since: now?.since ?? clock.now() };
    },
  };
}
