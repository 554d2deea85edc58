import { api } from '@habeas/contract';
import { type Claims, HabeasError, newId, verifiedEmail } from '../foundation/index.ts';
import type { KeyContext } from './api-keys.ts';
import { lockOrganization } from './organization.ts';
import type { Principal } from './principal.ts';
import { refuseMore } from './refuse-more.ts';
import type { AccessTables } from './tables.ts';

/** People of the organization who sign in by themselves. */
export interface Members {
  /** Oldest first. */
  list(): Promise<readonly api.MemberView[]>;
  /** They sign in with this address. Throws CONFLICT for one that is invited already, FORBIDDEN as {@link refuseMore}. */
  invite(invitation: api.InviteMember, maker: Principal): Promise<api.MemberView>;
  /** From their next call on. Throws NOT_FOUND, FORBIDDEN, and CONFLICT for whose role a group gives. */
  change(id: string, change: api.ChangeMember, maker: Principal): Promise<api.MemberView>;
  /** Ends their sessions, and forgets their address and name; their id stays, because audit entries name it. Throws NOT_FOUND. */
  remove(id: string, maker: Principal): Promise<void>;
  /**
   * Who somebody is whom the provider of sign-ins vouches for: a member already, or invited under the address that it verified, or in a
   * group that has a role. Throws FORBIDDEN for others.
   */
  signIn(claims: Claims): Promise<api.MemberView>;
}

/** What those in a group may do. */
export interface GroupRole {
  readonly role: api.Role;
  /** (Default: all teams) */
  readonly teams?: readonly string[] | undefined;
}

export interface MemberRules {
  readonly groupsClaim: string;
  readonly groups: Readonly<Record<string, GroupRole>>;
}

type Row = AccessTables['members'];

export function createMembers(context: KeyContext, rules: MemberRules): Members {
  const { db, organizationId, clock } = context;

  /** One after the other: two invitations to one address, or two first sign-ins of one person, must not both be made. */
  const change = <Result>(
    work: (tables: ReturnType<typeof tablesOf>, now: Date) => Promise<[Result, Entry[]]>,
  ): Promise<Result> =>
    db.transaction().execute(async (transaction) => {
      const now = clock.now();
      await lockOrganization(transaction, { organizationId, now });
      const [result, entries] = await work(tablesOf(transaction), now);
      await context.audit(
        transaction,
        entries.map((entry) => ({ organizationId, ...entry })),
        now,
      );
      return result;
    });

  const tablesOf = (from: typeof db) => from.withTables<AccessTables>();
  const present = (tables: ReturnType<typeof tablesOf>) =>
    tables
      .selectFrom('members')
      .selectAll()
      .where('organization_id', '=', organizationId)
      .where('removed_at', 'is', null);

  async function existing(tables: ReturnType<typeof tablesOf>, id: string): Promise<Row> {
    const row = await present(tables).where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new HabeasError('NOT_FOUND', 'There is no member with this id.');
    return row;
  }

  async function update(tables: ReturnType<typeof tablesOf>, row: Row, values: Partial<Row>): Promise<Row> {
    await tables
      .updateTable('members')
      .set(values)
      .where('organization_id', '=', organizationId)
      .where('id', '=', row.id)
      .execute();
    return { ...row, ...values };
  }

  async function insert(
    tables: ReturnType<typeof tablesOf>,
    values: Pick<Row, 'email' | 'role' | 'teams' | 'created_by'> & Partial<Row>,
    now: Date,
  ): Promise<Row> {
    const row: Row = {
      organization_id: organizationId,
      id: newId('mem', now),
      subject: null,
      name: null,
      by_group: null,
      created_at: now,
      signed_in_at: null,
      removed_at: null,
      ...values,
    };
    await tables.insertInto('members').values(row).execute();
    return row;
  }

  return {
    async list() {
      return (await present(tablesOf(db)).orderBy('created_at').orderBy('id').execute()).map(viewOf);
    },

    invite: ({ email, role, teams }, maker) =>
      change(async (tables, now) => {
        refuseMore(maker, { scopes: api.ROLES[role], teams });
        const address = email.toLowerCase();
        const other = await present(tables).where('email', '=', address).executeTakeFirst();
        if (other !== undefined)
          throw new HabeasError('CONFLICT', `Somebody with this address is a member already: ${other.id}.`);
        const row = await insert(tables, { email: address, role, teams, created_by: maker.actor }, now);
        return [viewOf(row), [entryOf(maker, row, 'member.invited')]];
      }),

    change: (id, { role, teams }, maker) =>
      change(async (tables) => {
        const row = await existing(tables, id);
        if (row.by_group !== null)
          throw new HabeasError(
            'CONFLICT',
            `Their role comes from the group ${row.by_group}: change it under sign_in.groups in habeas.yaml.`,
          );
        const next = { role: role ?? row.role, teams: teams === undefined ? row.teams : teams };
        // Neither what they get nor what is taken from them may be more than whoever does it has.
        refuseMore(maker, { scopes: scopesOfRole(row.role), teams: row.teams });
        refuseMore(maker, { scopes: scopesOfRole(next.role), teams: next.teams });
        const changed = await update(tables, row, next);
        return [viewOf(changed), [entryOf(maker, changed, 'member.changed')]];
      }),

    remove: (id, maker) =>
      change(async (tables, now) => {
        const row = await existing(tables, id);
        refuseMore(maker, { scopes: scopesOfRole(row.role), teams: row.teams });
        await endSessions(tables, row);
        await update(tables, row, { removed_at: now, email: null, name: null, subject: null });
        return [undefined, [entryOf(maker, row, 'member.removed')]];
      }),

    async signIn(claims) {
      const signedIn = await change<api.MemberView | undefined>(async (tables, now) => {
        const email = verifiedEmail(claims)?.toLowerCase();
        // Another provider may have given the same name to somebody else.
        const subject = `${String(claims.iss)} ${claims.sub}`;
        const group = groupOf(claims, rules);
        const known =
          (await present(tables).where('subject', '=', subject).executeTakeFirst()) ??
          (email === undefined
            ? undefined
            : await present(tables)
                .where('email', '=', email)
                // Of another person of the provider, who had the address before.
                .where('subject', 'is', null)
                .executeTakeFirst());
        const seen = { subject, name: nameIn(claims), signed_in_at: now };
        if (known !== undefined && known.by_group === null)
          return [viewOf(await update(tables, known, seen)), []];
        if (group === undefined) {
          // Who left the groups is nobody here from now on.
          if (known !== undefined) await endSessions(tables, known);
          return [undefined, []];
        }
        const given = { role: group.role, teams: group.teams?.slice() ?? null, by_group: group.name };
        if (known !== undefined) {
          const changed = await update(tables, known, { ...seen, ...given });
          const same = known.role === given.role && String(known.teams) === String(given.teams);
          return [viewOf(changed), same ? [] : [entryOf({ actor: 'system' }, changed, 'member.changed')]];
        }
        const taken =
          email !== undefined && (await present(tables).where('email', '=', email).executeTakeFirst());
        const row = await insert(
          tables,
          { email: taken ? null : (email ?? null), created_by: 'system', ...seen, ...given },
          now,
        );
        return [viewOf(row), [entryOf({ actor: 'system' }, row, 'member.joined')]];
      });
      if (signedIn !== undefined) return signedIn;
      throw new HabeasError(
        'FORBIDDEN',
        'You are not a member here: ask an owner to invite the address that you sign in with.',
      );
    },
  };

  async function endSessions(tables: ReturnType<typeof tablesOf>, { id }: Row): Promise<void> {
    await tables
      .deleteFrom('sessions')
      .where('organization_id', '=', organizationId)
      .where('member_id', '=', id)
      .execute();
  }
}

interface Entry {
  readonly actor: string;
  readonly subject: string;
  readonly action: string;
  readonly details: Readonly<Record<string, string>>;
}

/** Says nothing of who they are. */
function entryOf({ actor }: { readonly actor: string }, row: Row, action: string): Entry {
  const teams = row.teams === null ? {} : { teams: row.teams.join(', ') };
  return { actor, subject: row.id, action, details: { role: row.role, ...teams } };
}

function groupOf(
  claims: Claims,
  { groupsClaim, groups }: MemberRules,
): (GroupRole & { readonly name: string }) | undefined {
  const claim = claims[groupsClaim];
  const own = new Set(Array.isArray(claim) ? claim : [claim]);
  const found = Object.entries(groups).find(([name]) => own.has(name));
  return found && { name: found[0], ...found[1] };
}

function nameIn({ name, preferred_username: short }: Claims): string | null {
  const text = [name, short].find((one) => typeof one === 'string' && one.trim() !== '');
  return typeof text === 'string' ? text.slice(0, 200) : null;
}

/** What a role may do; one that a newer server stored may nothing here. */
export function scopesOfRole(role: string): readonly api.Scope[] {
  return Object.hasOwn(api.ROLES, role) ? api.ROLES[role as api.Role] : [];
}

function viewOf(row: Row): api.MemberView {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    role: row.role,
    teams: row.teams,
    by_group: row.by_group,
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    signed_in_at: row.signed_in_at?.toISOString() ?? null,
  };
}
