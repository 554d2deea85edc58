import {
  deriveKey,
  HabeasError,
  type OidcProvider,
  open,
  type SecretKey,
  type SignInSecrets,
  seal,
} from '../foundation/index.ts';
import type { KeyContext } from './api-keys.ts';
import type { Members } from './members.ts';
import type { SignedIn } from './principal.ts';
import type { Sessions, StartedSession } from './sessions.ts';

/** How members sign in with the organization's own sign-in, and show again that it is them. */
export interface MemberSignIn {
  /** What a button says. */
  readonly name: string;
  /** Throws SYSTEM_UNREACHABLE and its like. */
  begin(options: BeginOptions): Promise<BegunSignIn>;
  /**
   * Takes a browser back. Throws PROOF_REFUSED for one that did not begin here or if anything does not fit, FORBIDDEN for who is no
   * member, and UNAUTHENTICATED if another person signed in than was to show that it is them.
   */
  finish(options: FinishOptions): Promise<FinishedSignIn>;
}

export interface BeginOptions {
  /** The path of the page to go on with. */
  readonly returnTo: string;
  /** The session in which somebody shows again that it is them. (Default: none, a new one) */
  readonly confirms?: SignedIn | undefined;
}

export interface BegunSignIn {
  /** Where the browser goes. */
  readonly url: string;
  /** The browser brings it back, in a cookie: sealed, for ten minutes. */
  readonly sealed: string;
}

export interface FinishOptions {
  readonly url: URL;
  readonly sealed: string | undefined;
}

export interface FinishedSignIn {
  readonly returnTo: string;
  /** Undefined where a session was confirmed. */
  readonly started: StartedSession | undefined;
}

export interface MemberSignInOptions extends Pick<KeyContext, 'clock' | 'organizationId'> {
  readonly name: string;
  readonly provider: OidcProvider;
  readonly members: Members;
  readonly sessions: Sessions;
  readonly masterKey: SecretKey;
}

/** What a browser carries while it signs in. */
interface Begun {
  readonly secrets: SignInSecrets;
  readonly returnTo: string;
  readonly until: number;
  readonly sessionId?: string | undefined;
}

/** Where the sign-in sends browsers back to, below the server's public address. */
export const MEMBER_SIGN_IN_PATH = '/api/v1/sign-in/finish';

/** How long somebody may take to sign in. */
export const MEMBER_SIGN_IN_MILLISECONDS = 10 * 60_000;

export function createMemberSignIn(options: MemberSignInOptions): MemberSignIn {
  const { provider, members, sessions, clock } = options;
  const key = deriveKey(options.masterKey, 'member sign-in');
  const context = `member sign-in of ${options.organizationId}`;

  return {
    name: options.name,

    async begin({ returnTo, confirms }) {
      const { url, secrets } = await provider.begin({ again: confirms !== undefined });
      const until = clock.now().getTime() + MEMBER_SIGN_IN_MILLISECONDS;
      const begun: Begun = { secrets, returnTo, until, sessionId: confirms?.session.id };
      return { url, sealed: seal(key, Buffer.from(JSON.stringify(begun)), context).toString('base64url') };
    },

    async finish({ url, sealed }) {
      const begun = sealed === undefined ? undefined : opened(sealed);
      // The provider's answer fits one beginning alone, and its code is taken once: the state needs no row here.
      if (begun === undefined || begun.until < clock.now().getTime())
        throw new HabeasError(
          'PROOF_REFUSED',
          'This sign-in did not begin in this browser, or took too long. Begin it again.',
        );
      const { secrets, returnTo, sessionId } = begun;
      const claims = await provider.finish(url, secrets, { again: sessionId !== undefined });
      const member = await members.signIn(claims);
      if (sessionId === undefined) return { returnTo, started: await sessions.startFor(member) };
      await sessions.confirmFor(sessionId, member);
      return { returnTo, started: undefined };
    },
  };

  function opened(sealed: string): Begun | undefined {
    try {
      return JSON.parse(open(key, Buffer.from(sealed, 'base64url'), context).toString());
    } catch (error) {
      // What a browser sends can be anything.
      if (error instanceof HabeasError && error.code === 'MASTER_KEY_INVALID') return undefined;
      throw error;
    }
  }
}
