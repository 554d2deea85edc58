import type pg from 'pg';
import { HabeasError, sha256Hex } from '../../foundation/index.ts';
import { type NumberedPurpose, SCHEMA } from './choose-predicate.ts';
import { emailObjects } from './email-identity.ts';
import { inTransaction } from './in-transaction.ts';
import {
  numberPurposes,
  type Recorded,
  readRecorded,
  requireColumns,
  requireOwnOrganization,
} from './installed-state.ts';
import { type FoundObjects, objectKey, readObjects } from './read-objects.ts';
import type { ProtectedTable, Target } from './target.ts';
import { roleOf, type TargetObject } from './target-object.ts';
import { OBJECTS_TABLE, targetObjects } from './target-objects.ts';

/** One difference between what a target should have and what it has. */
export interface InstallStep {
  readonly action: 'make' | 'replace' | 'remove' | 'restore' | 'unknown';
  readonly kind: string;
  readonly name: string;
  /** In words. */
  readonly why: string;
  readonly statements: readonly string[];
}

export interface InstallPlan {
  readonly steps: readonly InstallStep[];
  /** The steps that undo what somebody else changed. */
  readonly drift: readonly InstallStep[];
  readonly purposes: readonly NumberedPurpose[];
  /** SHA-256 of what the target has and what is to be done in it: the same as long as neither changes. */
  readonly fingerprint: string;
}

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
    if (fingerprint !== undefined && fingerprint !== plan.fingerprint)
      throw new HabeasError(
        'CONFLICT',
        `The target ${target.key}, or its configuration, is not as it was when this was planned; nothing was done. Plan again.`,
      );
    const wanted = targetObjects(target, plan.purposes, await emailObjects(client, target));
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
  const objects = targetObjects(target, purposes, await emailObjects(client, target));
  const before = new Map(recorded.map((one) => [objectKey(one), one]));
  const wanted = new Set(objects.map(objectKey));
  const removed = recorded.filter((one) => !wanted.has(objectKey(one))).reverse();
  const steps = [
    ...removed.map(
      (one): InstallStep => ({
        ...pick(one),
        action: 'remove',
        why: 'the configuration does not name it any more',
        statements: one.dropped,
      }),
    ),
    ...objects.flatMap((object) =>
      stepOf(object, before.get(objectKey(object)), found.get(objectKey(object))),
    ),
    ...unknownObjects(found, new Set([...wanted, ...before.keys()])),
  ];
  const ordered = inOrder(steps, objects);
  return {
    steps: ordered,
    drift: steps.filter(({ action }) => action === 'restore' || action === 'unknown'),
    purposes,
    fingerprint: fingerprintOf(target, found, ordered),
  };
}

/** Belongs to the steps of one plan. */
export function stepsHash({ fingerprint, steps }: Pick<InstallPlan, 'fingerprint' | 'steps'>): string {
  const each = steps.map(({ action, kind, name, why, statements }) => [action, kind, name, why, statements]);
  return sha256Hex(JSON.stringify([fingerprint, each]));
}

function fingerprintOf(target: Target, found: FoundObjects, steps: readonly InstallStep[]): string {
  const there = [...found].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return sha256Hex(JSON.stringify([target.organizationId, target.key, there, steps]));
}

function stepOf(
  object: TargetObject,
  before: Recorded | undefined,
  found: string | undefined,
): readonly InstallStep[] {
  const one = pick(object);
  const anew = [...object.drop, ...object.create];
  if (before === undefined) {
    if (found !== undefined && object.kind === 'row security')
      throw new HabeasError(
        'CONFLICT',
        `${object.name} has row security of its own. Leave \`row_security\` out for this target, and use the views of its purposes.`,
      );
    return [
      {
        ...one,
        action: 'make',
        why: 'it is not there',
        statements: object.kind === 'view' ? anew : object.create,
      },
    ];
  }
  if (before.wanted !== wantedText(object))
    return [
      {
        ...one,
        action: 'replace',
        why: 'the configuration says something else than before',
        statements: anew,
      },
    ];
  if (found === undefined)
    return [{ ...one, action: 'restore', why: 'somebody removed it', statements: object.create }];
  if (found === before.found) return [];
  // What others are made of stays while it is put right.
  const statements = ['role', 'schema', 'function'].includes(object.kind) ? object.create : anew;
  return [
    { ...one, action: 'restore', why: `somebody changed it: ${difference(before.found, found)}`, statements },
  ];
}

/** What nobody made by a plan and nobody asked for, where only what is planned may be. Nothing is done about it: it may be somebody's work. */
function unknownObjects(found: FoundObjects, known: ReadonlySet<string>): readonly InstallStep[] {
  return [...found.keys()]
    .filter(
      (key) =>
        !known.has(key) &&
        !key.startsWith('schema ') &&
        !key.startsWith('row security ') &&
        !key.startsWith('purpose '),
    )
    .map((key) => {
      const [kind = '', ...name] = key.split(' ');
      return {
        action: 'unknown',
        kind,
        name: name.join(' '),
        why: 'no plan made it. Remove it, or put it elsewhere',
        statements: [],
      };
    });
}

/** What is replaced takes its place only after all that was made of it is gone: views and policies first, and their makers last. */
function inOrder(steps: readonly InstallStep[], objects: readonly TargetObject[]): readonly InstallStep[] {
  const replaced = steps.some(
    ({ action, kind }) => action === 'replace' || (action === 'restore' && kind === 'table'),
  );
  if (!replaced) return steps;
  const dependents = objects.filter(({ kind }) => kind === 'view' || kind === 'row security');
  const planned = new Set(steps.map(objectKey));
  const drops = dependents.flatMap(({ kind, name, drop }): InstallStep[] => {
    const isNew = steps.some(
      (step) => step.action === 'make' && objectKey(step) === objectKey({ kind, name }),
    );
    return isNew
      ? []
      : [{ action: 'replace', kind, name, why: 'it is made of what is replaced', statements: drop }];
  });
  const makes = dependents
    .filter((one) => !planned.has(objectKey(one)))
    .map(
      ({ kind, name, create }): InstallStep => ({
        action: 'replace',
        kind,
        name,
        why: 'it is made of what is replaced',
        statements: create,
      }),
    );
  return [...drops, ...steps, ...makes];
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

function difference(before: string, now: string): string {
  let start = 0;
  while (start < before.length && before[start] === now[start]) start += 1;
  const from = Math.max(0, start - 24);
  const cut = (text: string) => JSON.stringify(text.slice(from, from + 64));
  return `${cut(before)} became ${cut(now)}`;
}

function pick({ kind, name }: { readonly kind: string; readonly name: string }) {
  return { kind, name };
}

function wantedText({ create }: TargetObject): string {
  return create.join(';\n');
}

function protectedOf({ tables }: Target): readonly ProtectedTable[] {
  return tables.flatMap((one) => (one.kind === 'protected' ? [one] : []));
}
