import type { api } from '@habeas/contract';
import { isWithinCategory, type Mask } from '../catalog/index.ts';
import type { SourcePlace } from '../foundation/index.ts';

/** What is done with data of a category. */
export type DataDecision =
  /** What the right asks for. */
  | { readonly action: 'allow' }
  /** The row stays and the value is replaced, instead of erasing it. */
  | { readonly action: 'mask'; readonly mask: Mask }
  /** The row stays and is marked as deleted, with its values masked or left. */
  | { readonly action: 'soft-delete'; readonly values: 'masked' | 'left' }
  /** It stays as it is. */
  | {
      readonly action: 'keep';
      /** IRI of the Data Privacy Vocabulary; null where an older file gives words only. */
      readonly justification: string | null;
      /** Why, in words that the person may read. */
      readonly reason: string;
      readonly legalBasis: string | null;
      /** RFC 3339 date; null: no known end. */
      readonly until: string | null;
    };

/** What holds for a request as a whole. */
export interface Procedure {
  /** From receipt, before anything is destroyed. */
  readonly waitMilliseconds: number;
  readonly approval: 'none' | 'required';
  /** Actors as the audit log names them; empty: whoever may decide about requests. */
  readonly approvers: readonly string[];
  /** Two different approvers are asked for when more rows than this were found; null: never. */
  readonly fourEyesAbove: number | null;
  /** What a portability hands over, by where the values are from (GDPR article 20; WP242: provided and observed). */
  readonly portable: api.Portable;
  /** The team that answers for the request. */
  readonly owner: string | null;
}

/** Which requests a rule is about; null: all. */
export interface When {
  readonly regimes: readonly api.Regime[] | null;
  readonly rights: readonly api.Right[] | null;
  readonly subjectKinds: readonly api.SubjectKind[] | null;
  /** The category and all below it. */
  readonly category: string | null;
}

export interface Rule {
  /** As a person names it: its name, or `rules[2]`. */
  readonly name: string;
  readonly place: SourcePlace;
  readonly when: When;
  readonly data: DataDecision | null;
  readonly procedure: { readonly [Part in keyof Procedure]?: Procedure[Part] };
  /** Of the keys `erasure` and `keep`, which have an order of their own: the first of two equals counts. */
  readonly ordered: boolean;
}

/** A request, as far as rules tell requests apart. */
export interface RequestCase {
  readonly regime: api.Regime;
  readonly right: api.Right;
  readonly subjectKind: api.SubjectKind;
}

/** Whether a rule is about this request, and, if a category is given, about data of it. */
export function fits(rule: Rule, request: RequestCase, category: string | null): boolean {
  const { when } = rule;
  if (when.regimes !== null && !when.regimes.includes(request.regime)) return false;
  if (when.rights !== null && !when.rights.includes(request.right)) return false;
  if (when.subjectKinds !== null && !when.subjectKinds.includes(request.subjectKind)) return false;
  return when.category === null || (category !== null && isWithinCategory(category, when.category));
}

/** How exactly a rule says what it is about, the most telling first: depth of the category, kind of person, law, right. */
export function specificity({ when }: Rule): readonly number[] {
  return [
    when.category === null ? 0 : when.category.split('.').length,
    when.subjectKinds === null ? 0 : 1,
    when.regimes === null ? 0 : 1,
    when.rights === null ? 0 : 1,
  ];
}

/** Negative: the first is the more specific one. Zero: equally specific. */
export function compareSpecificity(a: Rule, b: Rule): number {
  const [left, right] = [specificity(a), specificity(b)];
  for (const [index, value] of left.entries()) {
    const difference = (right[index] ?? 0) - value;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Which of what a rule can say it says. */
export function partsOf(rule: Rule): readonly ('data' | keyof Procedure)[] {
  const procedure = Object.keys(rule.procedure) as (keyof Procedure)[];
  return rule.data === null ? procedure : ['data', ...procedure];
}

/** Two rules that say the same part about the same case, equally specifically: nobody could say which counts. */
export function contradict(a: Rule, b: Rule): boolean {
  if (a.ordered && b.ordered) return false;
  if (compareSpecificity(a, b) !== 0 || a.when.category !== b.when.category) return false;
  const shares = (left: readonly string[] | null, right: readonly string[] | null) =>
    left === null || right === null || left.some((one) => right.includes(one));
  if (!shares(a.when.regimes, b.when.regimes) || !shares(a.when.rights, b.when.rights)) return false;
  if (!shares(a.when.subjectKinds, b.when.subjectKinds)) return false;
  const parts = new Set<string>(partsOf(a));
  return partsOf(b).some((part) => parts.has(part));
}
