import type { Identity } from '../catalog/index.ts';
import type { Database } from '../foundation/index.ts';
import { historyItems } from './history-items.ts';
import { readBits } from './purposes/index.ts';
import type { Subjects } from './record/index.ts';

/** A collection of a package: what somebody agreed to. */
export interface HeldConsent {
  readonly name: 'consent';
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

const COLUMNS = [
  'identity_type',
  'identity',
  'said_at',
  'received_at',
  'choices',
  'source',
  'notice',
  'event_id',
];

/**
 * All that a person ever said, under whichever of these identities, for who asks what is held of them (GDPR article 15(3)); also about
 * purposes that the configuration has no more. An identity under which nobody said anything adds nothing.
 */
export async function heldConsent(
  db: Database,
  {
    organizationId,
    subjects,
    identities,
  }: {
    readonly organizationId: string;
    readonly subjects: Subjects;
    readonly identities: readonly Identity[];
  },
): Promise<readonly HeldConsent[]> {
  const purposes = await readBits(db, organizationId);
  const rows: Record<string, unknown>[] = [];
  for (const identity of subjects.prepare(identities).identities) {
    const subject = await subjects.find(db, identity);
    if (subject === undefined) continue;
    for (const item of await historyItems(db, { organizationId, subject, purposes }))
      rows.push({ identity_type: identity.type, identity: identity.value, ...item });
  }
  return [{ name: 'consent', columns: COLUMNS, rows }];
}
