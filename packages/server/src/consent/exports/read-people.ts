import type pg from 'pg';
import Cursor from 'pg-cursor';
import { openCursor } from '../open-cursor.ts';

export interface ReadPeopleOptions {
  readonly organizationId: string;
  readonly identityType: string;
  /** Of the purpose. */
  readonly bit: number;
  readonly lists: 'granted' | 'denied';
  readonly openValue: (type: string, sealed: Buffer) => string;
}

const ROWS = 10_000;

/** Of whom the export is; an agreement that has ended counts no more, whether or not somebody has come by since. */
const FROM = `from consent_identities as i join consent_signatures as s using (organization_id, subject)
  where organization_id = $1 and i.type = $2 and (s.known >> $3::integer) & 1 = 1 and (s.granted >> $3::integer) & 1 = $4
  and not ($4 = 1 and exists (select from consent_expiries as e
    where e.organization_id = s.organization_id and e.subject = s.subject and e.expires_at <= now()))`;

const valuesOf = ({ organizationId, identityType, bit, lists }: ReadPeopleOptions) => [
  organizationId,
  identityType,
  bit,
  lists === 'granted' ? 1 : 0,
];

/** As the transaction of the client sees it. */
export async function countPeople(client: pg.ClientBase, options: ReadPeopleOptions): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `select count(*)::text as count ${FROM}`,
    valuesOf(options),
  );
  return Number(rows[0]?.count);
}

/** Their identities, some thousand at a time. */
export async function* readPeople(
  client: pg.ClientBase,
  options: ReadPeopleOptions,
): AsyncGenerator<readonly string[], void, undefined> {
  const cursor = openCursor(
    client,
    new Cursor<{ sealed_value: Buffer }>(`select i.sealed_value ${FROM}`, valuesOf(options)),
  );
  try {
    for (;;) {
      const { batch } = await cursor.read(ROWS);
      if (batch.length === 0) return;
      yield batch.map(({ sealed_value }) => options.openValue(options.identityType, sealed_value));
    }
  } finally {
    await cursor.close();
  }
}
