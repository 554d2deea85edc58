import { isPast, type KeepRule } from '../catalog/index.ts';
import {
  compareSpecificity,
  type DataDecision,
  fits,
  type Procedure,
  type RequestCase,
  type Rule,
} from './rule.ts';

/** A decision, and the rule that it comes from; undefined: no rule says anything, so the default counts. */
export interface Decided<Value> {
  readonly value: Value;
  readonly rule: Rule | undefined;
}

export type DecidedProcedure = { readonly [Part in keyof Procedure]: Decided<Procedure[Part]> };

const DEFAULT_PROCEDURE: Procedure = {
  waitMilliseconds: 0,
  approval: 'none',
  approvers: [],
  fourEyesAbove: null,
  portable: 'provided-and-observed',
  owner: null,
};

/** The rules that fit, the most specific first; equals in the order of the file. */
export function fittingRules(
  rules: readonly Rule[],
  request: RequestCase,
  category: string | null,
): readonly Rule[] {
  // Sorting is stable, so equals stay in order.
  return rules.filter((rule) => fits(rule, request, category)).sort(compareSpecificity);
}

/** What is done with data of a category: what the most specific rule says that says anything about data. */
export function decideData(options: {
  readonly rules: readonly Rule[];
  readonly request: RequestCase;
  readonly category: string;
  /** A duty to keep that ended before this time keeps nothing. */
  readonly now: Date;
}): Decided<DataDecision> {
  const { rules, request, category, now } = options;
  for (const rule of fittingRules(rules, request, category)) {
    const { data } = rule;
    if (data === null || (data.action === 'keep' && data.until !== null && isPast(data.until, now))) continue;
    return { value: data, rule };
  }
  return { value: { action: 'allow' }, rule: undefined };
}

/** What holds for a request as a whole. Each part comes from the most specific rule that says it. */
export function decideProcedure(rules: readonly Rule[], request: RequestCase): DecidedProcedure {
  const fitting = fittingRules(rules, request, null);
  const part = <Part extends keyof Procedure>(name: Part): Decided<Procedure[Part]> => {
    for (const rule of fitting) {
      const value: Procedure[Part] | undefined = rule.procedure[name];
      if (value !== undefined) return { value, rule };
    }
    return { value: DEFAULT_PROCEDURE[name], rule: undefined };
  };
  return {
    waitMilliseconds: part('waitMilliseconds'),
    approval: part('approval'),
    approvers: part('approvers'),
    fourEyesAbove: part('fourEyesAbove'),
    portable: part('portable'),
    owner: part('owner'),
  };
}

/**
 * What a connector has to know to act on a request: one decision per category that any rule names. The deepest category that
 * covers a field decides, which is what {@link decideData} says of it. Empty: the right is exercised on everything.
 */
export function categoryRules(options: {
  readonly rules: readonly Rule[];
  readonly request: RequestCase;
  readonly now: Date;
}): readonly KeepRule[] {
  const { rules, request, now } = options;
  const named = rules
    .filter((rule) => rule.data !== null && fits(rule, request, rule.when.category))
    // A rule without a category is about all personal data.
    .map((rule) => rule.when.category ?? ALL_PERSONAL);
  const found = [...new Set(named)].flatMap((category): readonly KeepRule[] => {
    const { value, rule } = decideData({ rules, request, category, now });
    if (rule === undefined) return [];
    switch (value.action) {
      case 'allow':
        return [{ category, action: 'allow' }];
      case 'mask':
        return [{ category, action: 'mask', mask: value.mask }];
      case 'soft-delete':
        return [{ category, action: 'soft-delete', values: value.values }];
      case 'keep': {
        const { reason, legalBasis, until, justification } = value;
        const duty = { category, reason, legalBasis, until };
        return [justification === null ? duty : { ...duty, justification }];
      }
      default:
        return value satisfies never;
    }
  });
  return found.some((rule) => rule.action !== 'allow') ? found : [];
}

const ALL_PERSONAL = 'user';
