import { HabeasError, sha256Hex } from '../../foundation/index.ts';
import type { NumberedPurpose } from './choose-predicate.ts';
import { type FoundObjects, objectKey } from './read-objects.ts';
import type { Target } from './target.ts';
import type { Recorded, TargetObject } from './target-object.ts';

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

export interface PlanStepsOptions {
  readonly target: Target;
  readonly purposes: readonly NumberedPurpose[];
  /** All that the target must have, in the order in which it can be made. */
  readonly objects: readonly TargetObject[];
  /** What former plans made, in that order. */
  readonly recorded: readonly Recorded[];
  readonly found: FoundObjects;
  /** Whether views and policies have to go before the tables that they are made of. */
  readonly isTiedToTables: boolean;
}

/** What is to be done in a target so that it has what it must have. */
export function planSteps(options: PlanStepsOptions): InstallPlan {
  const { target, purposes, objects, recorded, found } = options;
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
  const ordered = options.isTiedToTables ? inOrder(steps, objects) : steps;
  return {
    steps: ordered,
    drift: steps.filter(({ action }) => action === 'restore' || action === 'unknown'),
    purposes,
    fingerprint: fingerprintOf(target, found, ordered),
  };
}

/** Throws CONFLICT if this plan is another than the one that was read. */
export function requireSamePlan(
  { key }: Pick<Target, 'key'>,
  { fingerprint }: Pick<InstallPlan, 'fingerprint'>,
  read: string | undefined,
): void {
  if (read !== undefined && read !== fingerprint)
    throw new HabeasError(
      'CONFLICT',
      `The target ${key}, or its configuration, is not as it was when this was planned; nothing was done. Plan again.`,
    );
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
  const anew = object.replace ?? [...object.drop, ...object.create];
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

export function wantedText({ create }: TargetObject): string {
  return create.join(';\n');
}
