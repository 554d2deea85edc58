import type { api } from '@habeas/contract';
import type { Mask } from '../catalog/index.ts';
import type { PlaceOf } from '../foundation/index.ts';
import { justificationInWords, nonFulfilmentIri } from './justifications.ts';
import type { PolicyFile, RuleSource } from './policy-schema.ts';
import type { DataDecision, Procedure, Rule } from './rule.ts';

const ERASURE: readonly api.Right[] = ['erasure'];
const EVERYTHING = { regimes: null, rights: null, subjectKinds: null, category: null } as const;

/** All rules of a file: those under `rules`, and the older keys `erasure` and `keep`, which say the same in less words. */
export function readRules(file: PolicyFile, placeOf: PlaceOf, given: GivenKeys): readonly Rule[] {
  const erasure = { ...EVERYTHING, rights: ERASURE };
  const older: Rule[] = [];
  if (given.wait || given.approval)
    older.push({
      name: 'erasure',
      place: placeOf(['erasure']),
      when: erasure,
      data: null,
      procedure: {
        ...(given.wait ? { waitMilliseconds: file.erasure.wait } : {}),
        ...(given.approval ? { approval: file.erasure.approval } : {}),
      },
      ordered: true,
    });
  const kept = file.keep.map(
    ({ category, reason, legal_basis: legalBasis, until }, index): Rule => ({
      name: `keep[${index}]`,
      place: placeOf(['keep', index, 'category']),
      when: { ...erasure, category },
      data: {
        action: 'keep',
        justification: null,
        reason,
        legalBasis: legalBasis ?? null,
        until: until ?? null,
      },
      procedure: {},
      ordered: true,
    }),
  );
  const rules = (file.rules ?? []).map((source, index) =>
    readRule(source, { name: `rules[${index}]`, place: placeOf(['rules', index]) }),
  );
  return [...older, ...kept, ...rules];
}

/** Which of the older keys the file has; a default is no rule that could contradict another one. */
export interface GivenKeys {
  readonly wait: boolean;
  readonly approval: boolean;
}

function readRule(source: RuleSource, at: Pick<Rule, 'name' | 'place'>): Rule {
  const { when } = source;
  return {
    name: source.name ?? at.name,
    place: at.place,
    when: {
      regimes: listOf(when.regime),
      rights: listOf(when.right),
      subjectKinds: listOf(when.subject_kind),
      category: when.category ?? null,
    },
    data: dataOf(source),
    procedure: procedureOf(source),
    ordered: false,
  };
}

function dataOf({ allow, mask, soft_delete: values, keep }: RuleSource): DataDecision | null {
  if (keep !== undefined) {
    const justification = nonFulfilmentIri(keep.justification) ?? null;
    return {
      action: 'keep',
      justification,
      reason: keep.reason ?? justificationInWords(keep.justification),
      legalBasis: keep.legal_basis ?? null,
      until: keep.until ?? null,
    };
  }
  if (mask !== undefined) return { action: 'mask', mask: maskOf(mask) };
  if (values !== undefined) return { action: 'soft-delete', values };
  return allow === true ? { action: 'allow' } : null;
}

function maskOf(mask: NonNullable<RuleSource['mask']>): Mask {
  return typeof mask === 'string' ? { strategy: mask } : mask;
}

function procedureOf(source: RuleSource): { readonly [Part in keyof Procedure]?: Procedure[Part] } {
  return {
    ...(source.wait === undefined ? {} : { waitMilliseconds: source.wait }),
    ...(source.approval === undefined ? {} : { approval: source.approval }),
    ...(source.approvers === undefined ? {} : { approvers: source.approvers }),
    ...(source.four_eyes_above === undefined
      ? {}
      : { fourEyesAbove: source.four_eyes_above === 'never' ? null : source.four_eyes_above }),
    ...(source.portable === undefined ? {} : { portable: source.portable }),
    ...(source.owner === undefined ? {} : { owner: source.owner }),
  };
}

function listOf<Item>(value: Item | readonly Item[] | undefined): readonly Item[] | null {
  if (value === undefined) return null;
  return Array.isArray(value) ? (value as readonly Item[]) : [value as Item];
}
