import type pg from 'pg';
import Cursor from 'pg-cursor';
import type { NumberedPurpose } from './choose-predicate.ts';

/** What a person said, under one of their identities, by the purposes' numbers in a target. */
export interface TargetSignature {
  readonly type: string;
  readonly identity: string;
  /** Integers of 64 bits as texts. */
  readonly granted: string;
  readonly denied: string;
}

export interface ReadSignaturesOptions {
  readonly organizationId: string;
  readonly types: readonly string[];
  readonly purposes: readonly NumberedPurpose[];
  /** Changes that this snapshot did not see; undefined: everybody. */
  readonly since: string | undefined;
  readonly openValue: (type: string, sealed: Buffer) => string;
}

const ROWS = 10_000;

/** Signatures as the transaction of the client sees them, in batches. */
export async function* readSignatures(
  client: pg.ClientBase,
  { organizationId, types, purposes, since, openValue }: ReadSignaturesOptions,
): AsyncGenerator<readonly TargetSignature[]> {
  const bits = await bitsOf(client, organizationId, purposes);
  const cursor = client.query(
    new Cursor<{ type: string; sealed_value: Buffer; granted: string; denied: string }>(
      `select i.type, i.sealed_value, (${moved('s.granted', bits)})::text as granted, (${moved('(s.known & ~s.granted)', bits)})::text as denied
       from consent_identities as i join consent_signatures as s using (organization_id, subject)
       where organization_id = $1 and i.type = any($2)
       ${since === undefined ? '' : `and subject in (${CHANGED_SINCE})`}`,
      since === undefined ? [organizationId, types] : [organizationId, types, since],
    ),
  );
  try {
    for (;;) {
      const rows = await cursor.read(ROWS);
      if (rows.length === 0) return;
      yield rows.map(({ type, sealed_value, granted, denied }) => ({
        type,
        identity: openValue(type, sealed_value),
        granted,
        denied,
      }));
    }
  } finally {
    await cursor.close();
  }
}

/** Transactions that a snapshot did not see are those that were not visible in it, of which none is older than its oldest one. */
const CHANGED_SINCE = `select subject from consent_changes where organization_id = $1
  and changed_in >= pg_snapshot_xmin($3::pg_snapshot) and not pg_visible_in_snapshot(changed_in, $3::pg_snapshot)`;

/** Habeas' bits of purposes, and their numbers in the target. */
async function bitsOf(
  client: pg.ClientBase,
  organizationId: string,
  purposes: readonly NumberedPurpose[],
): Promise<readonly { readonly bit: number; readonly number: number }[]> {
  const { rows } = await client.query<{ code: string; bit: number }>(
    'select code, bit from consent_purposes where organization_id = $1',
    [organizationId],
  );
  return purposes.flatMap(({ code, number }) => {
    const bit = rows.find((row) => row.code === code)?.bit;
    return bit === undefined ? [] : [{ bit, number }];
  });
}

function moved(word: string, bits: readonly { readonly bit: number; readonly number: number }[]): string {
  if (bits.length === 0) return '0';
  return bits.map(({ bit, number }) => `(((${word} >> ${bit}) & 1) << ${number})`).join(' | ');
}
