import type pg from 'pg';
import { HabeasError } from '../../foundation/index.ts';
import { type NumberedPurpose, SCHEMA } from './choose-predicate.ts';
import { emailObjects } from './email-identity.ts';
import { inTransaction } from './in-transaction.ts';
import { numberPurposes, readRecorded, requireColumns, requireOwnOrganization } from './installed-state.ts';
import { type InstallPlan, planSteps, requireSamePlan, wantedText } from './plan-steps.ts';
import { type FoundObjects, objectKey, readObjects } from './read-objects.ts';
import { protectedOf, type Target } from './target.ts';
import { roleOf, type TargetObject } from './target-object.ts';
import { OBJECTS_TABLE, targetObjects } from './target-objects.ts';
import { readUuidColumns, withUuids } from './uuid-columns.ts';

/** Compares; changes nothing. Throws SCHEMA_MISMATCH for tables and columns that the target does not have. */
export async function planInstall(client: pg.ClientBase, target: Target): Promise<InstallPlan> {
  return inTransaction(client, 'repeatable read read only', () => planWithin(client, target));
}

/**
 * Does what {@link planInstall} would say, in one transaction; gives what it did. With the `fingerprint` of a plan, does that plan or nothing:
 * throws CONFLICT if the target or the configuration has changed since.
 */
export async function applyInstall(
  client: pg.ClientBase,
  target: Target,
  { fingerprint }: { readonly fingerprint?: string } = {},
): Promise<InstallPlan> {
  return inTransaction(client, 'read committed', async () => {
    await client.query(`select pg_advisory_xact_lock(hashtextextended('${SCHEMA}', 0))`);
    const plan = await planWithin(client, target);
    requireSamePlan(target, plan, fingerprint);
    const wanted = await objectsOf(client, target, plan.purposes);
    for (const { statements } of plan.steps)
      for (const statement of statements) await client.query(statement);
    await client.query(OBJECTS_TABLE);
    await client.query(
      `insert into ${SCHEMA}.installed (organization) values ($1)
       on conflict (one) do update set organization = excluded.organization`,
      [target.organizationId],
    );
    const found = await readObjects(client, { key: target.key, tables: protectedOf(target) });
    requireClosedRoles(target, found);
    await client.query(`delete from ${SCHEMA}.objects`);
    for (const [place, object] of wanted.entries())
      await client.query(
        `insert into ${SCHEMA}.objects (place, kind, name, wanted, found, dropped) values ($1, $2, $3, $4, $5, $6)`,
        [
          place,
          object.kind,
          object.name,
          wantedText(object),
          found.get(objectKey(object)) ?? '',
          object.drop,
        ],
      );
    return plan;
  });
}

async function planWithin(client: pg.ClientBase, target: Target): Promise<InstallPlan> {
  await requireColumns(client, target);
  const found = await readObjects(client, { key: target.key, tables: protectedOf(target) });
  const recorded = await readRecorded(client);
  await requireOwnOrganization(client, target, recorded.length > 0);
  const purposes = await numberPurposes(client, target.purposes, found);
  const objects = await objectsOf(client, target, purposes);
  return planSteps({ target, purposes, objects, recorded, found, isTiedToTables: true });
}

async function objectsOf(
  client: pg.ClientBase,
  target: Target,
  purposes: readonly NumberedPurpose[],
): Promise<readonly TargetObject[]> {
  const marked = withUuids(target, await readUuidColumns(client, target));
  return targetObjects(marked, purposes, await emailObjects(client, target));
}

/** A grant to everybody, or to a role that this one is a member of, is not ours to take away. */
function requireClosedRoles(target: Target, found: FoundObjects): void {
  for (const { code } of target.purposes) {
    const role = roleOf(target, code);
    const shown = found.get(objectKey({ kind: 'role', name: role })) ?? '';
    if (!/, member of: , reads: , reads what people said: $/.test(shown))
      throw new HabeasError(
        'CONFLICT',
        `The role ${role} can still read more than its views (${shown}), by a grant to everybody or to a role that it is a member of. Revoke that, and apply again.`,
      );
  }
}
