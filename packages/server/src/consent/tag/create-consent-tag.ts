import { createHmac } from 'node:crypto';
import type { api } from '@habeas/contract';
import type { Identity } from '../../catalog/index.ts';
import { type Clock, deriveKey, HabeasError, type SecretKey } from '../../foundation/index.ts';
import type { Consent } from '../create-consent.ts';
import type { PurposeFile } from '../purposes/index.ts';
import { readIdentityToken } from './identity-token.ts';
import { type NoticeAsked, noticeOf } from './notice.ts';

/** What a page may ask and say without an API key. */
export interface ConsentTag {
  /** Pages that may call: `https://www.example.org`. */
  readonly origins: ReadonlySet<string>;
  /** What people are shown. Throws NOT_FOUND for another organization. */
  notice(asked: NoticeAsked & { readonly organization?: string | undefined }): api.ConsentNotice;
  /**
   * Takes what somebody chose, and tells what all that they said comes to. Throws UNAUTHENTICATED for a token that is not the
   * organization's, and NOT_FOUND for another organization.
   */
  choose(said: api.TagChoices): Promise<api.TagChoicesAnswer>;
}

export interface CreateConsentTagOptions {
  readonly consent: Consent;
  readonly organizationId: string;
  readonly file: PurposeFile;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  readonly origins: readonly string[];
  readonly identitySecrets: readonly string[];
  /** Whether what a browser said becomes part of what the person said who signs in. */
  readonly merge: boolean;
}

export function createConsentTag(options: CreateConsentTagOptions): ConsentTag {
  const { consent, organizationId, file, clock } = options;
  const eventKey = deriveKey(options.masterKey, `consent tag events of ${organizationId}`);
  const optedOut = file.purposes.filter(({ gpc }) => gpc).map(({ code }) => code);
  const caller = { organizationId, actor: 'tag' };
  const gpcView = (applies: boolean) => ({ applies, purposes: [...optedOut] });

  function checkOrganization(named: string | undefined): void {
    if (named === undefined || named === organizationId) return;
    throw new HabeasError('NOT_FOUND', 'This server acts for another organization.');
  }

  /** A stranger who uses somebody else's event id must not be able to keep their choice from being stored. */
  function eventOf({ type, value }: Identity, eventId: string): string {
    const whose = createHmac('sha256', eventKey).update(`${type}\0${value}`).digest('base64url');
    return `${whose.slice(0, 22)}:${eventId}`;
  }

  /** A setting of the browser, by when it was first seen there. */
  function gpcSignal(identity: Identity, since: string | undefined): api.ConsentSignal {
    const now = clock.now().getTime();
    const at = new Date(since === undefined ? now : Math.min(now, Date.parse(since))).toISOString();
    return {
      // Two devices of a person have seen it since different moments, and the earliest counts whichever comes first.
      event_id: eventOf(identity, `gpc:${optedOut.join(',')}${since === undefined ? '' : `:${at}`}`),
      identity,
      said_at: at,
      choices: Object.fromEntries(optedOut.map((code) => [code, false])),
      source: 'gpc',
    };
  }

  /** Of a setting only the first time counts: that is kept, and not again with each page. */
  async function isKept({ event_id, identity, said_at }: api.ConsentSignal): Promise<boolean> {
    if (await consent.has(organizationId, event_id)) return true;
    const { items } = await consent.history(organizationId, identity);
    return items.some(
      (one) =>
        one.source === 'gpc' && one.said_at <= said_at && optedOut.every((code) => code in one.choices),
    );
  }

  return {
    origins: new Set(options.origins),

    notice({ organization, ...asked }) {
      checkOrganization(organization);
      return { organization: organizationId, gpc: gpcView(asked.gpc), ...noticeOf(file, asked) };
    },

    async choose({ organization, anonymous_id, identity_token: token, gpc, gpc_since: since, signals }) {
      checkOrganization(organization);
      const person =
        token === undefined
          ? undefined
          : await readIdentityToken(token, { organizationId, secrets: options.identitySecrets, clock });
      const anonymous =
        anonymous_id === undefined ? undefined : { type: 'anonymous_id', value: anonymous_id };
      const identity = person ?? anonymous;
      if (identity === undefined)
        throw new HabeasError('BAD_INPUT', 'Send anonymous_id, identity_token or both.');
      const said = signals.map((signal) => ({
        ...signal,
        event_id: eventOf(identity, signal.event_id),
        identity,
      }));
      if (person !== undefined && anonymous !== undefined && options.merge)
        await consent.join(caller, anonymous, person);
      const opted = gpc && optedOut.length > 0 ? gpcSignal(identity, since) : undefined;
      const isNew = opted !== undefined && !(await isKept(opted));
      const all = isNew ? [...said, opted] : said;
      const outcomes = all.length === 0 ? [] : await consent.record(caller, all);
      return {
        organization: organizationId,
        signed_in: person !== undefined,
        gpc: gpcView(gpc),
        outcomes: signals.map(({ event_id }, place) => ({ ...outcomeAt(outcomes, place), event_id })),
        ...(await consent.read(organizationId, identity)),
      };
    },
  };
}

function outcomeAt(outcomes: readonly api.ConsentOutcome[], place: number): api.ConsentOutcome {
  const outcome = outcomes[place];
  if (outcome === undefined) throw new HabeasError('INTERNAL', 'A signal has no outcome.');
  return outcome;
}
