import type { api } from '@habeas/contract';
import {
  type Clock,
  type Database,
  deriveKey,
  HabeasError,
  newId,
  open,
  type SecretKey,
  seal,
} from '../../foundation/index.ts';
import type { Language } from '../../notify/index.ts';
import { createRateLimits, type Limit } from './rate-limits.ts';
import { createDigests, newCode, newToken } from './secrets.ts';
import type { VerificationTables } from './tables.ts';
import type { TokenCall } from './verification.ts';

/**
 * Lets somebody prove that a mail address is theirs, for something that is no request, such as looking at what they agreed to. Throws
 * TOO_MANY_REQUESTS above its limits, and NOT_FOUND for a token that is not known or over. It does the same whoever is named.
 */
export interface ContactProofs {
  /** Sends a code to the address. Gives what goes on with it: a token that proves nothing until the code was entered. */
  begin(contact: NewContact): Promise<{ readonly token: string }>;
  /** The one that was sent before is invalid from then on. */
  sendCode(call: TokenCall, language: Language): Promise<void>;
  /** Throws PROOF_REFUSED for a code that is wrong, was used, is too old, or was tried too often. */
  prove(call: TokenCall, code: string): Promise<void>;
  /** Whose it is, for half an hour from the proof on; undefined until it is proved. */
  identityOf(call: TokenCall): Promise<api.Identity | undefined>;
  end(call: TokenCall): Promise<void>;
}

interface NewContact {
  readonly email: string;
  readonly language: Language;
  readonly client: string;
}

/** A code, to be sent at once. */
export interface ContactCode {
  readonly to: string;
  readonly id: string;
  readonly language: Language;
  readonly code: string;
  readonly minutes: number;
}

export interface CreateContactProofsOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  readonly send: (code: ContactCode) => Promise<void>;
  /** Proofs that one client may begin. */
  readonly asksPerClient: Limit;
  /** Calls with a token that one client may make. */
  readonly callsPerClient: Limit;
  /** Mails with a code to one address, whoever asks. */
  readonly codesPerAddress: Limit;
}

const CODE_MINUTES = 10;
const CODE_TRIES = 5;
/** From the beginning to the code, and from the code to the end. */
const PROOF_MILLISECONDS = 30 * 60_000;

export function createContactProofs(options: CreateContactProofsOptions): ContactProofs {
  const { db, organizationId, clock } = options;
  const key = deriveKey(options.masterKey, 'contact proof');
  const digests = createDigests(options.masterKey);
  const limits = createRateLimits({ db, clock, digests });
  const tables = () => db.withTables<VerificationTables>();
  const contextOf = (digest: Buffer) => `contact proof ${organizationId} ${digest.toString('base64')}`;
  const codeDigest = (digest: Buffer, code: string) =>
    digests.code({ requestId: digest.toString('base64'), position: 0 }, code);

  const count = (scope: string, whom: string, limit: Limit) =>
    limits.demand({ organizationId, scope, whom, limit });

  async function live({ token, client }: TokenCall) {
    await count('call', client, options.callsPerClient);
    const digest = digests.token(token);
    const row = await tables()
      .selectFrom('contact_proofs')
      .selectAll()
      .where('organization_id', '=', organizationId)
      .where('digest', '=', digest)
      .where('expires_at', '>', clock.now())
      .executeTakeFirst();
    if (row === undefined)
      throw new HabeasError('NOT_FOUND', 'This token is not known, or not any more. Begin again.');
    return { ...row, email: open(key, row.sealed_address, contextOf(digest)).toString() };
  }

  const ofDigest = (digest: Uint8Array) =>
    tables()
      .updateTable('contact_proofs')
      .where('organization_id', '=', organizationId)
      .where('digest', '=', Buffer.from(digest));

  async function sendCode(digest: Buffer, email: string, language: Language): Promise<void> {
    await count('code', email, options.codesPerAddress);
    const code = newCode();
    const now = clock.now();
    await ofDigest(digest)
      .set({
        code_digest: codeDigest(digest, code),
        code_expires_at: new Date(now.getTime() + CODE_MINUTES * 60_000),
        attempts: 0,
      })
      .execute();
    await options.send({ to: email, id: newId('mail', now), language, code, minutes: CODE_MINUTES });
  }

  return {
    async begin({ email, language, client }) {
      await count('ask', client, options.asksPerClient);
      const token = newToken();
      const digest = digests.token(token);
      const now = clock.now();
      await tables()
        .deleteFrom('contact_proofs')
        .where('organization_id', '=', organizationId)
        .where('expires_at', '<=', now)
        .execute();
      await tables()
        .insertInto('contact_proofs')
        .values({
          organization_id: organizationId,
          digest,
          sealed_address: seal(key, Buffer.from(email), contextOf(digest)),
          code_digest: null,
          code_expires_at: null,
          attempts: 0,
          proved: false,
          expires_at: new Date(now.getTime() + PROOF_MILLISECONDS),
        })
        .execute();
      await sendCode(digest, email, language);
      return { token };
    },

    async sendCode(call, language) {
      const { digest, email } = await live(call);
      await sendCode(Buffer.from(digest), email, language);
    },

    async prove(call, code) {
      const { digest } = await live(call);
      const now = clock.now();
      // Counted before it is looked at: guesses at the same instant are guesses all the same.
      const tried = await ofDigest(digest)
        .set((set) => ({ attempts: set('attempts', '+', 1) }))
        .where('attempts', '<', CODE_TRIES)
        .executeTakeFirst();
      const proved =
        tried.numUpdatedRows > 0n &&
        (await ofDigest(digest)
          .set({ proved: true, code_digest: null, expires_at: new Date(now.getTime() + PROOF_MILLISECONDS) })
          .where('code_digest', '=', codeDigest(Buffer.from(digest), code))
          .where('code_expires_at', '>', now)
          .executeTakeFirst());
      if (proved === false || proved.numUpdatedRows === 0n)
        throw new HabeasError(
          'PROOF_REFUSED',
          'This code is wrong, was used, is older than ten minutes, or was tried too often. Have another one sent.',
        );
    },

    async identityOf(call) {
      const { proved, email } = await live(call);
      return proved ? { type: 'email', value: email } : undefined;
    },

    async end({ token }) {
      await tables()
        .deleteFrom('contact_proofs')
        .where('organization_id', '=', organizationId)
        .where('digest', '=', digests.token(token))
        .execute();
    },
  };
}
