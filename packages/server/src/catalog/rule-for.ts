import { isWithinCategory } from './data-categories.ts';
import type { Duty, KeepRule } from './keep-rule.ts';

/**
 * The rule about the deepest category that covers one of a field's. Of several as deep, a duty to keep comes before a mask, a
 * mask before a soft deletion and that before an exception; among equals the first.
 */
export function ruleFor(
  categories: readonly string[],
  rules: { readonly keepRules: readonly KeepRule[]; readonly now: Date },
): KeepRule | undefined {
  let found: KeepRule | undefined;
  for (const rule of rules.keepRules) {
    if (isDuty(rule) && rule.until !== null && isPast(rule.until, rules.now)) continue;
    if (!categories.some((category) => isWithinCategory(category, rule.category))) continue;
    if (found === undefined || outweighs(rule, found)) found = rule;
  }
  return found;
}

function outweighs(rule: KeepRule, other: KeepRule): boolean {
  const difference = depthOf(rule) - depthOf(other);
  return difference === 0 ? WEIGHT[rule.action ?? 'keep'] > WEIGHT[other.action ?? 'keep'] : difference > 0;
}

const WEIGHT = { keep: 3, mask: 2, 'soft-delete': 1, allow: 0 } as const;

function depthOf({ category }: KeepRule): number {
  return category.split('.').length;
}

/** Whether the rule keeps something. */
export function isDuty(rule: KeepRule): rule is Duty {
  return rule.action === undefined || rule.action === 'keep';
}

/** Whether a date is over; the day itself still counts. */
export function isPast(date: string, now: Date): boolean {
  return date < now.toISOString().slice(0, date.length);
}
