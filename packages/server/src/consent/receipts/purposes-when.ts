import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import type { Purpose } from '../purposes/index.ts';
import type { RecordedPurpose } from './consent-record.ts';

/** A notice as it is kept; what else it says is no part of a record. */
interface KeptNotice {
  readonly purposes: readonly Omit<RecordedPurpose, 'dpv' | 'validity'>[];
}

/**
 * The purposes as the notice had them that the person saw: their names, categories and legal bases may be others by now, or the configuration may
 * have them no more. Those of which no notice is kept are as they are now.
 */
export async function purposesWhen(
  db: Database,
  {
    organizationId,
    said: { notice, said_at },
    purposes,
  }: {
    readonly organizationId: string;
    readonly said: Pick<api.ConsentHistoryItem, 'notice' | 'said_at'>;
    readonly purposes: readonly Purpose[];
  },
): Promise<readonly RecordedPurpose[]> {
  if (notice === null) return purposes;
  // Where the texts of one version were changed, those that were there at that time, or else the first ones.
  const { rows } = await sql<{ content: string }>`
    select content from consent_notices where organization_id = ${organizationId} and version = ${notice.version}
    order by since > ${said_at}::timestamptz, case when since <= ${said_at}::timestamptz then since end desc, since, hash limit 1`.execute(
    db,
  );
  const [row] = rows;
  if (row === undefined) return purposes;
  const shown = (JSON.parse(row.content) as KeptNotice).purposes;
  const now = new Map(purposes.map((purpose) => [purpose.code, purpose]));
  return [
    ...shown.map(({ code, name, legal_basis, data_categories }) => ({
      ...now.get(code),
      code,
      name,
      legal_basis,
      data_categories,
    })),
    ...purposes.filter(({ code }) => !shown.some((one) => one.code === code)),
  ];
}
