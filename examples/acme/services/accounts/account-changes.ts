import type { DatabaseSync } from 'node:sqlite';
import {
  type ChangeHandlers,
  type Identity,
  type ObjectCall,
  type PersonalDataCall,
  PersonalDataError,
  type RectifyCall,
  type RestrictCall,
} from '@habeas/sdk';
import { applyOnce, type Counts, counted } from '../sqlite-store.ts';

/** What of an account can be corrected: category or field → column, and what a value has to be like. */
const FIELDS = new Map<string, { readonly column: string; readonly fits: RegExp }>([
  ['user.name', { column: 'name', fits: /^.{1,200}$/ }],
  ['user.contact.email', { column: 'email', fits: /^.+@[^\s@]+$/ }],
  ['user.contact.phone_number', { column: 'phone', fits: /^\+?[\d ]{5,20}$/ }],
  ['accounts.birth_date', { column: 'birth_date', fits: /^\d{4}-\d\d-\d\d$/ }],
  ['accounts.language', { column: 'language', fits: /^[a-z]{2}$/ }],
]);

/** What people chose about the use of their data. An account that is erased takes its choices along. */
const CHOICES = `
  create table if not exists choices (
    user_id text not null references accounts (user_id) on delete cascade,
    kind text not null,
    purpose text not null,
    primary key (user_id, kind, purpose)
  ) strict`;

export interface AccountChanges {
  readonly rectify: ChangeHandlers<RectifyCall>;
  readonly restrict: ChangeHandlers<RestrictCall>;
  readonly object: ChangeHandlers<ObjectCall>;
}

/** Corrects accounts, and notes what their data may not be used for. */
export function accountChanges(
  db: DatabaseSync,
  usersOf: (identities: readonly Identity[]) => readonly string[],
): AccountChanges {
  db.exec(CHOICES);
  const once = (call: PersonalDataCall, kind: string, work: () => Counts) => ({
    counts: applyOnce(db, { idempotencyKey: call.idempotencyKey, kind, work }),
  });

  const rectify = (call: RectifyCall, writes: boolean): Counts => {
    const due = new Set<string>();
    for (const { column, from, to } of call.changes.flatMap(columnChange)) {
      for (const user of usersOf(call.identities)) {
        const row = db.prepare(`select ${column} as value from accounts where user_id = ?`).get(user);
        if (row?.value === to || (from !== undefined && row?.value !== from)) continue;
        const holder = db
          .prepare('select user_id from accounts where email = ? and user_id <> ?')
          .get(to, user);
        if (column === 'email' && holder !== undefined) throw invalid("The address is another account's.");
        due.add(user);
        if (writes) db.prepare(`update accounts set ${column} = ? where user_id = ?`).run(to, user);
      }
    }
    return counted({ accounts: due.size });
  };

  const choose = (
    call: RestrictCall,
    choices: readonly (readonly [string, string])[],
    writes: boolean,
  ): Counts => {
    let due = 0;
    for (const user of usersOf(call.identities)) {
      for (const [kind, purpose] of choices) {
        const row = db
          .prepare('select 1 from choices where user_id = ? and kind = ? and purpose = ?')
          .get(user, kind, purpose);
        if ((row === undefined) === call.lift) continue;
        due += 1;
        if (!writes) continue;
        const change = call.lift
          ? 'delete from choices where user_id = ? and kind = ? and purpose = ?'
          : 'insert into choices (user_id, kind, purpose) values (?, ?, ?)';
        db.prepare(change).run(user, kind, purpose);
      }
    }
    return counted({ choices: due });
  };
  const restriction = [['restriction', '']] as const;
  const objections = ({ kind, purposes }: ObjectCall) =>
    kind === 'objection' ? purposes.map((purpose) => [kind, purpose] as const) : [[kind, ''] as const];

  return {
    rectify: {
      check: (call) => ({ counts: rectify(call, false) }),
      change: (call) => once(call, 'rectify', () => rectify(call, true)),
    },
    restrict: {
      check: (call) => ({ counts: choose(call, restriction, false) }),
      change: (call) => once(call, 'restrict', () => choose(call, restriction, true)),
    },
    object: {
      check: (call) => ({ counts: choose(call, objections(call), false) }),
      change: (call) => once(call, 'object', () => choose(call, objections(call), true)),
    },
  };
}

/** What the change means here; nothing for what an account does not have. Every value is checked before any is written. */
function columnChange({ target, from, to }: RectifyCall['changes'][number]) {
  const field = FIELDS.get(target);
  if (field === undefined) return [];
  if (typeof to !== 'string' || !field.fits.test(to))
    throw invalid(`The value for ${field.column} does not fit.`);
  return [{ column: field.column, from, to }];
}

function invalid(message: string): PersonalDataError {
  return new PersonalDataError('INVALID_VALUE', message, { retryable: false });
}
