import type { Field, Keep, Mask, OnErase } from './dataset.ts';
import type { Node } from './dataset-graph.ts';
import type { KeepRule } from './keep-rule.ts';
import { isDuty, isPast, ruleFor } from './rule-for.ts';

/** Not a mask: the mark of a row that is soft-deleted. A boolean becomes true, a time the time of the erasure. */
export interface DeletedMark {
  readonly strategy: 'deleted-mark';
}

/** A value that erasure replaces. `mask` undefined: nothing, or a hash where the store allows no empty value. */
export interface Target {
  readonly field: Field;
  readonly mask: Mask | DeletedMark | undefined;
  /** Set where the value is kept until a date in the row: it is replaced only after that. */
  readonly after: Keep | undefined;
}

/** A value that erasure leaves, and why. */
export interface KeptField {
  readonly field: Field;
  readonly keep: Keep;
}

/**
 * What erasure does to a row of a collection that is the person's. `stay` is what becomes of a row that was to be deleted
 * while a row that stays points at it: its targeted fields are masked.
 */
export type Action =
  | { readonly kind: 'keep'; readonly keep: Keep }
  | { readonly kind: 'delete' }
  | {
      readonly kind: 'anonymize' | 'mask' | 'stay';
      readonly targets: readonly Target[];
      readonly kept: readonly KeptField[];
      /** The column that marks the row as deleted, where it is only hidden. */
      readonly hiddenBy?: string;
    };

/** When several ways lead to a row, the strongest decides: a duty to keep before a deletion, a deletion before a mask. */
export const STRENGTH: readonly Action['kind'][] = ['keep', 'stay', 'delete', 'anonymize', 'mask'];

export interface RulesOfTheDay {
  readonly keepRules: readonly KeepRule[];
  /** A duty that ended before this time keeps nothing. */
  readonly now: Date;
}

/**
 * The fields that erasure targets in a row that stays: those with a category under `user`, except
 * - values that only link rows: part of the key or of a reference, with no category outside `user.unique_id`;
 * - values that are kept, by the dataset, by the policy, or because the store does not let them change (`read_only`).
 * In a row that is deleted, every field is targeted. A row with a value that the policy masks, or that it has soft-deleted, is not deleted.
 */
export function splitFields(node: Node, rules: RulesOfTheDay): FieldSplit {
  let links: ReadonlySet<string> | undefined;
  const targets: Target[] = [];
  const kept: KeptField[] = [];
  let mustStay = false;
  const { softDelete } = node.collection;
  let hides = false;
  let cannotHide = false;
  for (const { field, onlyLinks } of node.personal) {
    if (onlyLinks) {
      if (field.primaryKey) continue;
      links ??= linkColumnsOf(node);
      if (links.has(field.name)) continue;
    }
    const rule = ruleFor(field.categories, rules);
    const mark = rule?.action === 'soft-delete' ? softDelete : undefined;
    if (rule?.action === 'soft-delete' && softDelete === undefined) cannotHide = true;
    if (mark !== undefined) hides = true;
    const isLeft = rule?.action === 'soft-delete' && rule.values === 'left' && field.mask === undefined;
    const left = mark !== undefined && isLeft ? hiddenBy(mark) : undefined;
    const keep = keepOf(field, rule, rules.now) ?? left;
    if (keep !== undefined) kept.push({ field, keep });
    const masked = rule?.action === 'mask' ? rule.mask : undefined;
    if (masked !== undefined || (keep !== undefined && keep !== READ_ONLY)) mustStay = true;
    const expires = keep?.until !== null && keep?.until !== undefined && 'column' in keep.until;
    if (keep === undefined || expires) targets.push({ field, mask: field.mask ?? masked, after: keep });
  }
  targets.push(...emptiedLinks(node));
  return { targets, kept, mustStay, hides, cannotHide };
}

/** What erasure would do to the fields of a row that stays. */
export interface FieldSplit {
  readonly targets: readonly Target[];
  readonly kept: readonly KeptField[];
  /** Whether a duty to keep, and not only the store, keeps a field: then the row cannot be deleted. */
  readonly mustStay: boolean;
  /** Whether the policy has the row soft-deleted, and its collection can be. */
  readonly hides: boolean;
  /** Whether the policy would have the row soft-deleted, and its collection names no column for that. */
  readonly cannotHide: boolean;
}

/** What a wish of the dataset comes to, once duties to keep are weighed. `split` is {@link splitFields} of the same node. */
export function actionOf(
  wish: OnErase,
  of: { readonly node: Node; readonly split: FieldSplit; readonly now: Date },
): Action | undefined {
  const { node, split, now } = of;
  switch (wish.kind) {
    case 'detach':
      return undefined;
    case 'keep':
      return isOver(wish.keep, now) ? DELETE : { kind: 'keep', keep: wish.keep };
    case 'delete':
      if (split.hides) return hideAction(split, node);
      return split.mustStay ? { kind: 'mask', ...fieldsOf(split) } : DELETE;
    case 'anonymize':
    case 'mask': {
      const { mask } = wish;
      const targets =
        mask === undefined
          ? split.targets
          : split.targets.map((target) => ({ ...target, mask: target.mask ?? mask }));
      const masked = { kind: wish.kind, targets, kept: split.kept };
      return split.hides ? marked(masked, node) : masked;
    }
  }
}

const DELETE: Action = { kind: 'delete' };

/** What becomes of a row that was to be deleted and is soft-deleted instead. */
export function hideAction(split: FieldSplit, node: Node): Action {
  return marked({ kind: 'mask', ...fieldsOf(split) }, node);
}

/** The mark is a target like any other: who reads again finds a row whose mark is gone. */
function marked(action: Extract<Action, { readonly targets: unknown }>, { collection }: Node): Action {
  const { softDelete } = collection;
  if (softDelete === undefined) return action;
  const mark: Target = { field: softDelete, mask: { strategy: 'deleted-mark' }, after: undefined };
  return { ...action, targets: [...action.targets, mark], hiddenBy: softDelete.name };
}

function fieldsOf({ targets, kept }: FieldSplit): Pick<FieldSplit, 'targets' | 'kept'> {
  return { targets, kept };
}

/** Why the values of a soft-deleted row can still be read by whoever looks past its mark. */
function hiddenBy(mark: Field): Keep {
  return {
    reason: `soft-deleted by policy: hidden by ${mark.name}, not erased`,
    legalBasis: null,
    until: null,
    detach: false,
  };
}

/** What becomes of a row that was to be deleted and has to stay. */
export function stayAction(split: FieldSplit): Action {
  return { kind: 'stay', ...fieldsOf(split) };
}

/** References of a row that stays which no longer may lead anywhere: to rows that are only detached, or that others share. */
function emptiedLinks(node: Node): readonly Target[] {
  const ending = node.outgoing.filter(
    (edge) =>
      edge.heldBy === 'from' &&
      (edge.share === 'shared' || edge.onErase.kind === 'detach' || edge.onErase.kind === 'anonymize'),
  );
  if (ending.length === 0) return [];
  const names = new Set(ending.flatMap((edge) => edge.fromColumns));
  return node.collection.fields
    .filter((field) => names.has(field.name) && !field.primaryKey)
    .map((field) => ({ field, mask: { strategy: 'null' }, after: undefined }));
}

function linkColumnsOf(node: Node): ReadonlySet<string> {
  const names = new Set<string>(node.collection.key);
  for (const field of node.collection.fields) if (field.primaryKey) names.add(field.name);
  for (const edge of node.incoming) for (const column of edge.toColumns) names.add(column);
  for (const edge of node.outgoing) for (const column of edge.fromColumns) names.add(column);
  return names;
}

const READ_ONLY: Keep = {
  reason: 'the dataset says that the field is read-only',
  legalBasis: null,
  until: null,
  detach: false,
};

function keepOf(field: Field, rule: KeepRule | undefined, now: Date): Keep | undefined {
  if (field.keep !== undefined && !isOver(field.keep, now)) return field.keep;
  if (rule !== undefined && isDuty(rule)) {
    return {
      reason: rule.reason,
      legalBasis: rule.legalBasis,
      until: rule.until === null ? null : { date: rule.until },
      detach: false,
      ...(rule.justification === undefined ? {} : { justification: rule.justification }),
    };
  }
  return field.readOnly ? READ_ONLY : undefined;
}

function isOver(keep: Keep, now: Date): boolean {
  return keep.until !== null && 'date' in keep.until && isPast(keep.until.date, now);
}
