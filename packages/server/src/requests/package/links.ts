import { createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { api } from '@habeas/contract';
import { appendAudit } from '../../audit/index.ts';
import {
  type Clock,
  type Database,
  deriveKey,
  HabeasError,
  newId,
  type SecretKey,
} from '../../foundation/index.ts';
import type { PackageTexts } from '../../notify/index.ts';
import { loadRequestKey, openIdentity, type RequestRef } from '../identity-vault.ts';
import { requestRow } from '../read-requests.ts';
import type { Caller } from '../requests.ts';
import { SIGN_IN_SOURCE } from '../verification/index.ts';
import type { LinkTables } from './link-tables.ts';
import { type OpenedPackage, openPackage } from './open-package.ts';
import type { PackageStorages } from './storage.ts';

/** No link is valid for longer, whatever is asked for and however long the package stays. */
const LONGEST_LINK_DAYS = 7;
const DAY = 86_400_000;
const CODE_MINUTES = 10;
const CODE_TRIES = 5;
/** Wrong codes in all, after which the link is void: 20 of 100,000,000. */
const LINK_TRIES = 20;
const CODES_PER_HOUR = 5;
const HOUR = 3_600_000;
/** How long a download that was begun may be gone on with. */
const GRANT_MILLISECONDS = DAY;

export interface PackageLinksOptions {
  readonly db: Database;
  readonly storages: PackageStorages;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  /** Where people reach this server. */
  readonly publicUrl: string;
  readonly organizationId: string;
  /** Without a way to send codes no links can be made. */
  readonly texts: Pick<PackageTexts, 'language' | 'sendCode'>;
}

export interface NewLink {
  readonly id: string;
  /** With the token behind `#`, which browsers never send. Shown once. */
  readonly url: string;
  readonly expiresAt: Date;
  readonly downloads: number;
}

export interface Grant {
  /** Opens the download; for one device and one day. */
  readonly secret: string;
  readonly linkId: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly expiresAt: Date;
  readonly downloadsLeft: number;
}

/**
 * Links by which people fetch their packages: a token that the link carries behind `#`, and a fresh code by mail each time. What
 * does not exist, is used up, is expired or has no package any more is NOT_FOUND alike.
 */
export interface PackageLinks {
  /** Throws NOT_FOUND without a package, CONFLICT without a mail server or an address to send codes to. */
  create(
    caller: Caller,
    requestId: string,
    ask: { readonly downloads: number; readonly days: number },
  ): Promise<NewLink>;
  /** Voids every link of the request; says how many. Throws NOT_FOUND. */
  revoke(caller: Caller, requestId: string): Promise<number>;
  /**
   * The mail is in the language of the request; where nobody knows that, in the one that is given. Throws TOO_MANY_REQUESTS after
   * five codes in an hour.
   */
  sendCode(token: string, language?: api.Language): Promise<{ readonly minutes: number }>;
  /** Throws CODE_INVALID for a code that is wrong, used, too old, or tried too often. */
  open(token: string, code: string): Promise<Grant>;
  /** The package of a grant. Counts nothing. */
  package(secret: string): Promise<OpenedPackage>;
  /**
   * To be called before bytes are sent. A download counts when its first bytes are sent, and once until it has arrived: whatever
   * goes on with it, in whatever ranges, is the same one.
   */
  begin(secret: string, range: { readonly start: number }): Promise<void>;
  /** To be called when the last byte of the package was sent. */
  arrived(secret: string): Promise<void>;
}

/** As long as a package lies at most, and some downloads more than a person needs. */
const FOR_PEOPLE = { days: LONGEST_LINK_DAYS, downloads: 10 };

/** A new link for the mail that tells a person that their package is there; the token is in that mail alone. */
export async function linkForPerson(links: Pick<PackageLinks, 'create'>, ref: RequestRef): Promise<string> {
  const caller = { organizationId: ref.organizationId, actor: 'system' };
  return (await links.create(caller, ref.requestId, FOR_PEOPLE)).url;
}

export function createPackageLinks(options: PackageLinksOptions): PackageLinks {
  const { db, clock } = options;
  const codeKey = deriveKey(options.masterKey, 'package link code');
  const tables = (on: Database = db) => on.withTables<LinkTables>();

  const live = async (token: string) => {
    const now = clock.now();
    const link = await tables()
      .selectFrom('package_links')
      .selectAll()
      .where('organization_id', '=', options.organizationId)
      .where('token_hash', '=', hashOf(token))
      .where('expires_at', '>', now)
      .where('wrong_tries', '<', LINK_TRIES)
      .executeTakeFirst();
    if (link === undefined) throw notFound();
    return link;
  };
  const opened = (ref: RequestRef): Promise<OpenedPackage | undefined> =>
    openPackage({ ...options, now: clock.now() }, ref, 'zip');
  const audit = (on: Database, about: RequestRef, action: string, actor: string) =>
    appendAudit(
      on,
      [{ organizationId: about.organizationId, actor, action, subject: about.requestId }],
      clock.now(),
    );
  const hashOfCode = (linkId: string, code: string) =>
    createHmac('sha256', codeKey).update(`${linkId}\0${code}`).digest();
  const grantOf = async (secret: string) => {
    const grant = await tables()
      .selectFrom('package_grants as g')
      .innerJoin('package_links as l', (join) =>
        join.onRef('l.organization_id', '=', 'g.organization_id').onRef('l.id', '=', 'g.link_id'),
      )
      .select(['g.secret_hash', 'g.link_id', 'l.request_id'])
      .where('g.organization_id', '=', options.organizationId)
      .where('g.secret_hash', '=', hashOf(secret))
      .where('g.expires_at', '>', clock.now())
      .where('l.revoked', '=', false)
      .executeTakeFirst();
    if (grant === undefined) throw notFound();
    return { ...grant, ref: { organizationId: options.organizationId, requestId: grant.request_id } };
  };

  return {
    async create(caller, requestId, ask) {
      const ref = { organizationId: caller.organizationId, requestId };
      const found = await opened(ref);
      if (found === undefined) throw new HabeasError('NOT_FOUND', `Request ${requestId} has no package now.`);
      if (options.texts.sendCode === undefined)
        throw new HabeasError(
          'CONFLICT',
          'A link needs a mail server for its codes. Name one under notify.smtp.',
        );
      if ((await addressOf(db, ref, options.masterKey)) === undefined)
        throw new HabeasError('CONFLICT', `Request ${requestId} names no e-mail address to send codes to.`);
      const now = clock.now();
      const wanted = new Date(now.getTime() + Math.min(ask.days, LONGEST_LINK_DAYS) * DAY);
      const expiresAt = wanted < found.expiresAt ? wanted : found.expiresAt;
      const token = randomBytes(32).toString('base64url');
      const id = newId('lnk', now);
      await db.transaction().execute(async (transaction) => {
        await tables(transaction)
          .insertInto('package_links')
          .values({
            organization_id: caller.organizationId,
            id,
            request_id: requestId,
            token_hash: hashOf(token),
            expires_at: expiresAt,
            downloads_left: ask.downloads,
            codes_since: now,
          })
          .execute();
        await audit(transaction, ref, 'package.link-made', caller.actor);
      });
      const { language } = await requestRow(db, ref);
      // Their browser may prefer another one than they asked in.
      const query = language === null ? '' : `?lang=${language}`;
      const url = `${options.publicUrl}/package${query}#${token}`;
      return { id, url, expiresAt, downloads: ask.downloads };
    },
    async revoke(caller, requestId) {
      const ref = { organizationId: caller.organizationId, requestId };
      await requestRow(db, ref);
      return db.transaction().execute(async (transaction) => {
        const gone = await tables(transaction)
          .updateTable('package_links')
          .set({ revoked: true, expires_at: clock.now() })
          .where('organization_id', '=', ref.organizationId)
          .where('request_id', '=', requestId)
          .where('revoked', '=', false)
          .executeTakeFirst();
        await audit(transaction, ref, 'package.links-revoked', caller.actor);
        return Number(gone.numUpdatedRows);
      });
    },
    async sendCode(token, language) {
      const link = await live(token);
      const ref = { organizationId: link.organization_id, requestId: link.request_id };
      if (link.downloads_left < 1 || (await opened(ref)) === undefined) throw notFound();
      const to = await addressOf(db, ref, options.masterKey);
      const { sendCode } = options.texts;
      if (to === undefined || sendCode === undefined) throw notFound();
      const request = await requestRow(db, ref);
      const now = clock.now();
      const code = String(randomInt(100_000_000)).padStart(8, '0');
      const hourAgo = new Date(now.getTime() - HOUR);
      // One statement, so that calls at the same instant cannot have more than their share.
      const counted = await tables()
        .updateTable('package_links')
        .set((where) => ({
          code_hash: hashOfCode(link.id, code),
          code_expires_at: new Date(now.getTime() + CODE_MINUTES * 60_000),
          code_tries: 0,
          codes_sent: where
            .case()
            .when('codes_since', '<=', hourAgo)
            .then(1)
            .else(where('codes_sent', '+', 1))
            .end(),
          codes_since: where
            .case()
            .when('codes_since', '<=', hourAgo)
            .then(now)
            .else(where.ref('codes_since'))
            .end(),
        }))
        .where('organization_id', '=', link.organization_id)
        .where('id', '=', link.id)
        .where((where) =>
          where.or([where('codes_since', '<=', hourAgo), where('codes_sent', '<', CODES_PER_HOUR)]),
        )
        .executeTakeFirst();
      if (counted.numUpdatedRows === 0n) {
        throw new HabeasError(
          'TOO_MANY_REQUESTS',
          `More than ${CODES_PER_HOUR} codes in an hour. Use the newest one, or try again in an hour.`,
          { retryable: true },
        );
      }
      await sendCode({
        to,
        id: newId('mail', now),
        language: request.language ?? language ?? options.texts.language,
        code,
        minutes: CODE_MINUTES,
        requestId: ref.requestId,
      });
      return { minutes: CODE_MINUTES };
    },
    async open(token, code) {
      const link = await live(token);
      const ref = { organizationId: link.organization_id, requestId: link.request_id };
      const now = clock.now();
      // Counted before it is looked at: guesses at the same instant are guesses all the same.
      const tried = await tables()
        .updateTable('package_links')
        .set((where) => ({
          code_tries: where('code_tries', '+', 1),
          wrong_tries: where('wrong_tries', '+', 1),
        }))
        .where('organization_id', '=', link.organization_id)
        .where('id', '=', link.id)
        .where('code_hash', 'is not', null)
        .where('code_expires_at', '>', now)
        .where('code_tries', '<', CODE_TRIES)
        .where('wrong_tries', '<', LINK_TRIES)
        .where('downloads_left', '>', 0)
        .returning(['code_hash', 'downloads_left'])
        .executeTakeFirst();
      const want = tried?.code_hash;
      if (want === undefined || want === null || !timingSafeEqual(want, hashOfCode(link.id, code)))
        throw codeInvalid();
      const found = await opened(ref);
      if (found === undefined) throw notFound();
      const secret = randomBytes(32).toString('base64url');
      const expiresAt = new Date(now.getTime() + GRANT_MILLISECONDS);
      const until = expiresAt < found.expiresAt ? expiresAt : found.expiresAt;
      await db.transaction().execute(async (transaction) => {
        const used = await tables(transaction)
          .updateTable('package_links')
          .set((where) => ({ code_hash: null, wrong_tries: where('wrong_tries', '-', 1) }))
          .where('organization_id', '=', link.organization_id)
          .where('id', '=', link.id)
          .where('code_hash', '=', want)
          .executeTakeFirst();
        if (used.numUpdatedRows === 0n) throw codeInvalid();
        await tables(transaction)
          .insertInto('package_grants')
          .values({
            organization_id: link.organization_id,
            secret_hash: hashOf(secret),
            link_id: link.id,
            expires_at: until,
          })
          .execute();
        await audit(transaction, ref, 'package.link-opened', 'subject');
      });
      const { bytes, sha256 } = found;
      return {
        secret,
        linkId: link.id,
        bytes,
        sha256,
        expiresAt: until,
        downloadsLeft: tried?.downloads_left ?? 0,
      };
    },
    async package(secret) {
      const { ref } = await grantOf(secret);
      const found = await opened(ref);
      if (found === undefined) throw notFound();
      return found;
    },
    async begin(secret, { start }) {
      const grant = await grantOf(secret);
      await db.transaction().execute(async (transaction) => {
        const state = await tables(transaction)
          .selectFrom('package_grants')
          .select(['counted', 'arrived'])
          .where('organization_id', '=', options.organizationId)
          .where('secret_hash', '=', grant.secret_hash)
          .forUpdate()
          .executeTakeFirstOrThrow();
        const again = state.arrived && start === 0;
        if (state.counted && !again) return;
        const counted = await tables(transaction)
          .updateTable('package_links')
          .set((where) => ({ downloads_left: where('downloads_left', '-', 1) }))
          .where('organization_id', '=', options.organizationId)
          .where('id', '=', grant.link_id)
          .where('downloads_left', '>', 0)
          .executeTakeFirst();
        if (counted.numUpdatedRows === 0n) throw notFound();
        await tables(transaction)
          .updateTable('package_grants')
          .set({ counted: true, arrived: false })
          .where('organization_id', '=', options.organizationId)
          .where('secret_hash', '=', grant.secret_hash)
          .execute();
        await audit(transaction, grant.ref, 'package.downloaded', 'subject');
      });
    },
    async arrived(secret) {
      await tables()
        .updateTable('package_grants')
        .set({ arrived: true })
        .where('organization_id', '=', options.organizationId)
        .where('secret_hash', '=', hashOf(secret))
        .execute();
    },
  };
}

/**
 * The first address that the request was made with or that a sign-in proved. Of a request that somebody had to prove, only what was
 * proved is left; of another one, whoever made it vouched for it. What systems told of is neither.
 */
async function addressOf(db: Database, ref: RequestRef, masterKey: SecretKey): Promise<string | undefined> {
  const row = await db
    .withTables<LinkTables>()
    .selectFrom('request_identities')
    .select(['type', 'sealed_value'])
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .where('type', '=', 'email')
    .where('source', 'in', ['request', SIGN_IN_SOURCE])
    .orderBy('position')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const key = await loadRequestKey(db, ref, masterKey);
  return openIdentity(ref, key, { type: row.type, sealed: row.sealed_value }).value;
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function notFound(): HabeasError {
  return new HabeasError(
    'NOT_FOUND',
    'This link is not valid, or not any more. Ask the organization for another one.',
  );
}

function codeInvalid(): HabeasError {
  return new HabeasError(
    'CODE_INVALID',
    `The code is wrong, was used, or is older than ${CODE_MINUTES} minutes. Ask for a new one.`,
  );
}
