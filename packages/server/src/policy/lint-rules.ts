import type { api } from '@habeas/contract';
import { DATA_CATEGORIES, isPast } from '../catalog/index.ts';
import { formatPlace, type SourcePlace } from '../foundation/index.ts';
import { contradict, partsOf, type Rule } from './rule.ts';

/** Something that is wrong or doubtful in a policy file. */
export interface PolicyFinding {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly place: SourcePlace;
}

/** Rights that rules about data bear on so far; for others there is nothing that a rule could hold back. */
const RIGHTS_OVER_DATA: readonly api.Right[] = ['erasure'];

/** Rights that replace or remove what a system holds. */
const RIGHTS_THAT_DESTROY: readonly api.Right[] = ['erasure', 'rectification'];

/** What is wrong with rules beside their form, in the order of the file. */
export function lintRules(rules: readonly Rule[], now: Date): readonly PolicyFinding[] {
  return [
    ...rules.flatMap((rule) => [...mistakesIn(rule), ...doubtsAbout(rule, now)]),
    ...namesTwice(rules),
    ...contradictions(rules),
  ].sort(
    (a, b) => (a.place.line ?? 0) - (b.place.line ?? 0) || (a.place.column ?? 0) - (b.place.column ?? 0),
  );
}

function mistakesIn(rule: Rule): readonly PolicyFinding[] {
  const error = (message: string): PolicyFinding => ({
    severity: 'error',
    message: `${rule.name}: ${message}`,
    place: rule.place,
  });
  const found: PolicyFinding[] = [];
  const { when, data, procedure } = rule;
  const parts = Object.keys(procedure);
  if (partsOf(rule).length === 0)
    found.push(
      error(
        'the rule decides nothing; give it allow, mask, soft_delete, keep, wait, approval, approvers, four_eyes_above, portable or owner',
      ),
    );
  if (when.category !== null && parts.length > 0)
    found.push(
      error(
        'a wait, an approval, four eyes, what is portable or an owner is of a whole request; leave out `when.category`, or make it a rule of its own',
      ),
    );
  if (data !== null && when.rights !== null && !when.rights.some((right) => RIGHTS_OVER_DATA.includes(right)))
    found.push(error(`allow, mask, soft_delete and keep bear on ${RIGHTS_OVER_DATA.join(', ')} only`));
  const { fourEyesAbove, approvers, portable } = procedure;
  if (portable !== undefined && when.rights !== null && !when.rights.includes('portability'))
    found.push(error('portable bears on portability only'));
  if (
    fourEyesAbove !== undefined &&
    when.rights !== null &&
    !when.rights.some((right) => RIGHTS_THAT_DESTROY.includes(right))
  )
    found.push(error(`four_eyes_above bears on ${RIGHTS_THAT_DESTROY.join(' and ')} only`));
  if (typeof fourEyesAbove === 'number' && approvers !== undefined && new Set(approvers).size < 2)
    found.push(error('four_eyes_above asks for two people, and `approvers` names one; name another one'));
  return found;
}

function doubtsAbout(rule: Rule, now: Date): readonly PolicyFinding[] {
  const warning = (message: string): PolicyFinding => ({
    severity: 'warning',
    message: `${rule.name}: ${message}`,
    place: rule.place,
  });
  const found: PolicyFinding[] = [];
  const { category } = rule.when;
  if (category !== null && !DATA_CATEGORIES.includes(category))
    found.push(warning(`${category} is no category of the taxonomy; it covers only data that is named so`));
  const until = rule.data?.action === 'keep' ? rule.data.until : null;
  if (until !== null && isPast(until, now))
    found.push(warning(`the duty to keep ended on ${until}; it keeps nothing any more`));
  return found;
}

function namesTwice(rules: readonly Rule[]): readonly PolicyFinding[] {
  const first = new Map<string, Rule>();
  return rules.flatMap((rule): readonly PolicyFinding[] => {
    const known = first.get(rule.name);
    if (known === undefined) {
      first.set(rule.name, rule);
      return [];
    }
    return [
      {
        severity: 'error',
        message: `${rule.name}: another rule has this name, at ${formatPlace(known.place)}`,
        place: rule.place,
      },
    ];
  });
}

/** Compared within groups that could contradict at all, so that a long file stays cheap. */
function contradictions(rules: readonly Rule[]): readonly PolicyFinding[] {
  const groups = Map.groupBy(rules, (rule) => rule.when.category ?? '');
  return [...groups.values()].flatMap((group) =>
    group.flatMap((rule, index) => {
      const other = group.slice(0, index).find((earlier) => contradict(earlier, rule));
      if (other === undefined) return [];
      const message = `${rule.name}: it says the same thing about the same requests as ${other.name} at ${formatPlace(other.place)}, and neither is more specific; narrow one of them`;
      return [{ severity: 'error' as const, message, place: rule.place }];
    }),
  );
}
