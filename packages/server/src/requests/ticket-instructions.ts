import type { RequestRow } from './neighbourhood.ts';
import { markOf } from './plans/plan-flag.ts';

/** What a ticket is about. */
type TicketWork = Pick<RequestRow, 'right_kind' | 'dry_run' | 'targets' | 'purposes' | 'lift'> & {
  readonly system: string | null;
  readonly data_types: readonly string[];
  /** Of an erasure: how the policy wants it done, if not all is simply erased. (Default: null) */
  readonly how?: string | null;
};

const THEN = 'Then close the ticket and say what was done; reject it if that is not possible, and say why.';

/** What the team is to do, in words. No personal data: whom it is about, and new values, stand in the ticket itself. */
export function instructionsOf(row: TicketWork): string {
  const declared = row.data_types.length === 0 ? '' : ` (declared: ${row.data_types.join(', ')})`;
  return `${workOf(row, declared)} ${THEN}`;
}

function workOf(row: TicketWork, declared: string): string {
  const { right_kind: right, system, dry_run: dryRun, lift, purposes } = row;
  const what = `everything that ${system} holds of this person${declared}`;
  const mark = markOf({ right, purposes });
  switch (right) {
    case 'access':
      return `Hand over ${what}.`;
    case 'portability':
      return `Hand over what this person provided to ${system}, or what was observed of them there${declared}, and nothing that was derived from it.`;
    case 'erasure':
      return `${dryRun ? 'Count, without changing anything,' : 'Erase'} ${what}${row.how === null || row.how === undefined ? '' : `; by policy with ${row.how}`}.`;
    case 'rectification': {
      const targets = row.targets.join(', ');
      return dryRun
        ? `Count, without changing anything, what ${system} holds of this person for ${targets} that would be changed.`
        : `Put the new values of the ticket in place of what ${system} holds of this person for ${targets}, wherever it is a copy, and read it again.`;
    }
    case 'restriction':
    case 'objection':
    case 'opt_out_of_sale':
    case 'limit_sensitive_data':
      if (dryRun)
        return `Count, without changing anything, what of ${system} ${mark} of this person is about${declared}.`;
      return lift
        ? `Take back ${mark} of this person in ${system}${declared}.`
        : `Carry out ${mark} of this person in ${system}${declared}: the data stays, and is not used so any more.`;
    default:
      return right satisfies never;
  }
}
