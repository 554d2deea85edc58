import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { printable } from './text.ts';

/** A decision in words: each part, and where it comes from. */
export function explanationLines(explanation: api.PolicyExplanation, paint: Paint): readonly string[] {
  const { data, right, regime, category } = explanation;
  const kind = explanation.subject_kind;
  const row = (name: string, value: string, by: DecidedBy) =>
    `${name.padEnd(16)} ${value}  ${paint.quiet(placeOf(by))}`;
  const { wait_seconds: wait, approval, approvers, four_eyes_above: fourEyes, owner } = explanation;
  return [
    paint.strong(
      `${right} of a ${kind} under ${regime}${category === null ? '' : `, ${printable(category)}`}`,
    ),
    '',
    ...(data === null ? [] : [row('data', dataInWords(data), data.decided_by)]),
    row('wait', wait.value === 0 ? 'none' : `${wait.value} s`, wait.decided_by),
    row('approval', approval.value, approval.decided_by),
    row(
      'approvers',
      approvers.value.length === 0 ? 'whoever may decide' : printable(approvers.value.join(', ')),
      approvers.decided_by,
    ),
    row('four eyes', fourEyes.value === null ? 'never' : `above ${fourEyes.value} rows`, fourEyes.decided_by),
    ...(right === 'portability'
      ? [row('portable', PORTABLE[explanation.portable.value], explanation.portable.decided_by)]
      : []),
    row('owner', printable(owner.value ?? 'nobody'), owner.decided_by),
    '',
    ...(explanation.considered.length === 0
      ? [paint.quiet('No rule fits; these are the defaults.')]
      : [
          paint.quiet('Rules that fit, the most specific first:'),
          ...explanation.considered.map(
            ({ rule, specificity }) => `  ${printable(rule)}  ${paint.quiet(specificity)}`,
          ),
        ]),
    paint.quiet(`Policy ${explanation.policy_version.slice(0, 12)}`),
  ];
}

const PORTABLE: Readonly<Record<api.Portable, string>> = {
  provided: 'what the person provided',
  'provided-and-observed': 'what the person provided, and what was observed of them',
  everything: 'everything that is held of them',
};

type DecidedBy = NonNullable<api.PolicyExplanation['data']>['decided_by'];

function dataInWords(data: NonNullable<api.PolicyExplanation['data']>): string {
  switch (data.action) {
    case 'allow':
      return 'done as asked';
    case 'mask':
      return `masked (${data.mask?.strategy})`;
    case 'soft-delete':
      return `soft-deleted where the store can, its values ${data.values}`;
    case 'keep': {
      const until = data.until === null ? '' : `, until ${data.until}`;
      const law = data.legal_basis === null ? '' : ` (${printable(data.legal_basis)})`;
      const iri = data.justification === null ? '' : ` ${data.justification}`;
      return `kept: ${printable(data.reason ?? '')}${law}${until}${iri}`;
    }
    default:
      return data.action satisfies never;
  }
}

function placeOf({ rule, file, line, column }: DecidedBy): string {
  return rule === 'default' ? 'default' : printable(`${rule}, ${file}:${line ?? 1}:${column ?? 1}`);
}
