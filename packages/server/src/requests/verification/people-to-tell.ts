import { api } from '@habeas/contract';
import { type Clock, type Database, HabeasError, type SecretKey } from '../../foundation/index.ts';
import {
  type ComposedMail,
  type NewPersonMail,
  NO_ADDRESS,
  type PeopleToTell,
  type PersonMail,
  type SkippedMail,
  type StoredEvent,
} from '../../notify/index.ts';
import type { Policy } from '../../policy/index.ts';
import { acknowledgeByMail } from '../deadlines/deadlines.ts';
import { loadRequestKey, openIdentity, openText, type RequestRef } from '../identity-vault.ts';
import type { RequestRow } from '../neighbourhood.ts';
import { requestRow } from '../read-requests.ts';
import type { RequestTables } from '../tables.ts';
import { PERSON } from './context.ts';
import { mailOfEvent, TOLD_EVENTS } from './mail-of-event.ts';
import { delayOf, mailValues } from './mail-values.ts';
import { createRateLimits, type Limit } from './rate-limits.ts';
import { createDigests, newCode, newToken } from './secrets.ts';
import { SIGN_IN_SOURCE } from './sign-in.ts';
import type { VerificationTables } from './tables.ts';

export interface PeopleToTellOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  /** `all`: also people for whom somebody with an API key asked; `none`: only codes. */
  readonly tell: 'none' | 'asked' | 'all';
  /** Where a request names none. */
  readonly language: api.Language;
  /** Whose days the dates in mails are. */
  readonly policy: Pick<Policy, 'deadlinesOf' | 'defaultRegime'>;
  /** Where people go on with a request; its token comes in the fragment. */
  readonly page?: string | undefined;
  /** Codes that one address gets, whoever asks. */
  readonly codesPerAddress: Limit;
  /** Where the person fetches the package of a request that has one. (Default: nowhere) */
  readonly resultLink?: (ref: RequestRef) => Promise<string | undefined>;
}

const CODE_MINUTES = 10;
/** When somebody is told once more that the result is there. */
const EXPIRING_MILLISECONDS = 2 * 86_400_000;

/** Whom events concern, and what their mails say; identities are opened when a mail is sent, and only for that. */
export function createPeopleToTell(options: PeopleToTellOptions): PeopleToTell {
  const { db, organizationId, masterKey, clock } = options;
  const digests = createDigests(masterKey);
  const limits = createRateLimits({ db, clock, digests });

  async function mailsOf(events: readonly StoredEvent[]): Promise<readonly NewPersonMail[]> {
    const told = events.flatMap((event) => {
      const kind = mailOfEvent(event);
      return kind === undefined || event.requestId === undefined
        ? []
        : [{ event, kind, requestId: event.requestId }];
    });
    // A code is needed to go on; the rest is news.
    const wanted = options.tell === 'none' ? told.filter(({ kind }) => kind === 'code') : told;
    if (wanted.length === 0) return [];
    const ids = [...new Set(wanted.map(({ requestId }) => requestId))];
    const requests = await toldRequests(options, ids);
    if (requests.size === 0) return [];
    // Whoever has to prove something gets the code for it, whoever asked.
    const coded = wanted.filter(({ kind }) => kind === 'code').map(({ requestId }) => requestId);
    const news = [...requests.values()].filter(
      ({ received_by: by }) => options.tell === 'all' || by === PERSON,
    );
    const [addresses, contacts] = await Promise.all([
      addressesOf(
        options,
        news.map(({ id }) => id),
      ),
      contactsOf(options, [...new Set(coded)]),
    ]);
    return wanted.flatMap(({ event, kind, requestId }): readonly NewPersonMail[] => {
      const request = requests.get(requestId);
      if (request === undefined) return [];
      const mail = { organizationId, requestId, kind, cause: event.id };
      if (kind === 'code')
        return (contacts.get(requestId) ?? [])
          .filter((position) => event.data.contact === undefined || event.data.contact === position)
          .map((position) => ({ ...mail, contact: `c${position}` }));
      if (kind === 'received' && request.received_by === PERSON) return [];
      const all = (addresses.get(requestId) ?? []).map((contact) => ({ ...mail, contact }));
      const { package_expires_at: expires } = request;
      if (kind !== 'completed' || expires === null) return all;
      const notBefore = new Date(expires.getTime() - EXPIRING_MILLISECONDS);
      if (notBefore <= event.at) return all;
      return [...all, ...all.map((one) => ({ ...one, kind: 'expiring' as const, notBefore }))];
    });
  }

  async function compose(mail: PersonMail): Promise<ComposedMail | SkippedMail> {
    const ref = { organizationId, requestId: mail.request_id };
    try {
      const request = await requestRow(db, ref);
      const key = await loadRequestKey(db, ref, masterKey);
      const { kind } = mail;
      if (kind === 'code') return await composeCode({ ref, request, key, mail });
      return await composeNews({ ref, request, key, mail: { ...mail, kind } });
    } catch (error) {
      if (error instanceof HabeasError && error.code === 'KEY_DESTROYED') return { skipped: 'forgotten' };
      throw error;
    }
  }

  async function composeNews({
    ref,
    request,
    key,
    mail,
  }: Composing & { readonly mail: News }): Promise<ComposedMail | SkippedMail> {
    const row = await db
      .withTables<RequestTables>()
      .selectFrom('request_identities')
      .select(['type', 'sealed_value'])
      .where('organization_id', '=', organizationId)
      .where('request_id', '=', ref.requestId)
      .where('digest', '=', Buffer.from(mail.contact, 'base64url'))
      .executeTakeFirst();
    if (row === undefined) return { skipped: NO_ADDRESS };
    const { value: to } = openIdentity(ref, key, { type: row.type, sealed: row.sealed_value });
    if (!api.isMailAddress(to)) return { skipped: NO_ADDRESS };
    if (mail.kind === 'expiring' && request.package_blob === null) return { skipped: 'not-needed' };
    const language = request.language ?? options.language;
    const tellsWhere =
      (mail.kind === 'completed' || mail.kind === 'expiring') && request.package_blob !== null;
    const link = tellsWhere ? await options.resultLink?.(ref) : undefined;
    const { timeZone } = options.policy.deadlinesOf(request.regime ?? undefined);
    const values = await mailValues(db, {
      kind: mail.kind,
      request,
      language,
      link,
      timeZone,
      policy: options.policy,
    });
    const delay = mail.kind === 'extended' ? await delayOf(db, ref) : undefined;
    return { to, language, right: request.right_kind, delay, values };
  }

  /** Each try makes a new code, which is valid from now on and makes the former ones invalid. */
  async function composeCode({ ref, request, key, mail }: Composing): Promise<ComposedMail | SkippedMail> {
    if (request.state !== 'verifying') return { skipped: 'not-needed' };
    const position = Number(mail.contact.slice(1));
    const contact = await db
      .withTables<VerificationTables>()
      .selectFrom('verification_contacts')
      .select(['sealed_address', 'proved_at'])
      .where('organization_id', '=', organizationId)
      .where('request_id', '=', ref.requestId)
      .where('position', '=', position)
      .executeTakeFirst();
    if (contact === undefined || contact.proved_at !== null) return { skipped: 'not-needed' };
    const to = openText(ref, key, contact.sealed_address);
    if (!api.isMailAddress(to)) return { skipped: NO_ADDRESS };
    const limit = { organizationId, scope: 'code', whom: to, limit: options.codesPerAddress };
    if (mail.attempts === 1 && !(await limits.take(limit))) return { skipped: 'too-many' };
    const code = newCode();
    const token = newToken();
    const expiresAt = new Date(clock.now().getTime() + CODE_MINUTES * 60_000);
    await db.transaction().execute(async (transaction) => {
      const tables = transaction.withTables<VerificationTables>();
      await tables
        .updateTable('verification_contacts')
        .set(({ eb }) => ({
          code_digest: digests.code({ requestId: ref.requestId, position }, code),
          code_expires_at: expiresAt,
          attempts: 0,
          codes_sent: eb('codes_sent', '+', 1),
        }))
        .where('organization_id', '=', organizationId)
        .where('request_id', '=', ref.requestId)
        .where('position', '=', position)
        .where('proved_at', 'is', null)
        .execute();
      if (options.page === undefined) return;
      await tables
        .insertInto('verification_tokens')
        .values({ organization_id: organizationId, digest: digests.token(token), request_id: ref.requestId })
        .execute();
    });
    const link = options.page === undefined ? undefined : withFragment(options.page, token);
    return {
      to,
      language: request.language ?? options.language,
      right: request.right_kind,
      values: { code, minutes: String(CODE_MINUTES), ...(link === undefined ? {} : { link }) },
    };
  }

  return {
    types: TOLD_EVENTS,
    mailsOf,
    compose,
    async sent(transaction, mail) {
      // Both say that the request is here and worked on: the one to whom nobody vouched for gets the second one.
      if (mail.kind !== 'received' && mail.kind !== 'verified') return;
      const { request_id: requestId } = mail;
      const { policy } = options;
      await acknowledgeByMail(transaction, { organizationId, requestId, policy, now: clock.now() });
    },
  };
}

interface Composing {
  readonly ref: RequestRef;
  readonly request: RequestRow;
  readonly key: SecretKey;
  readonly mail: PersonMail;
}

/** All but a code. */
type News = PersonMail & { readonly kind: Exclude<PersonMail['kind'], 'code'> };

type Scope = Pick<PeopleToTellOptions, 'db' | 'organizationId'>;

async function toldRequests({ db, organizationId }: Scope, ids: readonly string[]) {
  const rows = await db
    .withTables<RequestTables>()
    .selectFrom('requests')
    .select(['id', 'received_by', 'package_expires_at'])
    .where('organization_id', '=', organizationId)
    .where('id', 'in', ids)
    .where('dry_run', '=', false)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/** Digests of the addresses that the person gave, or that their sign-in proved; not of those that systems told of. */
async function addressesOf(
  { db, organizationId }: Scope,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .withTables<RequestTables & VerificationTables>()
    .selectFrom('request_identities')
    .select(['request_id', 'digest'])
    .where('organization_id', '=', organizationId)
    .where('request_id', 'in', ids)
    .where('type', '=', 'email')
    .where('source', 'in', ['request', SIGN_IN_SOURCE])
    // Contacts are gone after the proof. Before it, an address is only a claim: it gets a code and nothing else.
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('verification_contacts as c')
            .select('c.position')
            .where('c.organization_id', '=', organizationId)
            .whereRef('c.request_id', '=', 'request_identities.request_id'),
        ),
      ),
    )
    .orderBy('position')
    .execute();
  return grouped(rows.map((row) => [row.request_id, Buffer.from(row.digest).toString('base64url')]));
}

async function contactsOf(
  { db, organizationId }: Scope,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .withTables<VerificationTables>()
    .selectFrom('verification_contacts')
    .select(['request_id', 'position'])
    .where('organization_id', '=', organizationId)
    .where('request_id', 'in', ids)
    .where('proved_at', 'is', null)
    .orderBy('position')
    .execute();
  return grouped(rows.map((row) => [row.request_id, row.position]));
}

function grouped<Value>(pairs: readonly (readonly [string, Value])[]): ReadonlyMap<string, readonly Value[]> {
  const groups = Map.groupBy(pairs, ([key]) => key);
  return new Map([...groups].map(([key, members]) => [key, members.map(([, value]) => value)]));
}

/** The fragment is not sent to servers, so the token is in nobody's log. */
function withFragment(page: string, token: string): string {
  const url = new URL(page);
  url.hash = token;
  return url.href;
}
