import type { api } from '@habeas/contract';
import type { Caller } from '../caller.ts';
import type { ReceiveOptions } from '../receive-options.ts';
import type { Check } from './checks.ts';
import type { Limit } from './rate-limits.ts';

/** What somebody who asks without an API key has to pass. */
export interface VerificationRules {
  readonly required: readonly Check[];
  /** After it, what was not proved is over. */
  readonly expiresMilliseconds: number;
  /** Requests that one client may make. */
  readonly asksPerClient: Limit;
  /** Calls with a token that one client may make: codes to try, among others. */
  readonly callsPerClient: Limit;
}

export interface AskOptions extends api.Ask {
  /** The network address that it came from. */
  readonly client: string;
}

/** Somebody asks for a person whom they do not vouch for. */
export interface AskForOptions extends Omit<ReceiveOptions, 'dryRun'> {
  /** Of 256 random bits; resumes the request, and proves nothing. */
  readonly token: string;
  /** After it, what was not proved is over. */
  readonly expiresMilliseconds: number;
}

/** A call of somebody who holds a token. */
export interface TokenCall {
  readonly token: string;
  readonly client: string;
}

export interface SignInStart {
  /** Where the browser goes next. */
  readonly url: string;
  /** To be kept by that browser, and by nothing else, until it comes back. */
  readonly browserSecret: string;
}

export interface SignInReturn {
  /** As the browser came back, with its query. */
  readonly url: URL;
  readonly browserSecret: string | undefined;
  readonly client: string;
}

/**
 * Lets people ask by themselves: nobody vouches for them, so they prove who they are before anything is looked up. What strangers
 * may call throws TOO_MANY_REQUESTS above its limits, and NOT_FOUND for a token that is not known (any more). It answers the same,
 * and does the same work, whoever is named: whether a person is known is looked up after the proof.
 */
export interface Verification {
  ask(options: AskOptions): Promise<api.NewAskedView>;
  /**
   * Asks for a person who has to prove that they want it: codes go to the addresses that are named. Gives the id of the request; the
   * same idempotency key and body gives the same one, another body throws IDEMPOTENCY_KEY_REUSED.
   */
  askFor(caller: Caller, options: AskForOptions): Promise<string>;
  /**
   * The caller of {@link askFor} has verified the person meanwhile, by these identities; what else was claimed is dropped. Throws
   * CONFLICT where the request does not wait for proof, or does not name them.
   */
  vouch(caller: Caller, requestId: string, identities: readonly api.Identity[]): Promise<void>;
  resume(call: TokenCall): Promise<api.AskedView>;
  /** Sends another code to a contact, unless too many were sent. */
  sendCode(call: TokenCall, contact: string): Promise<api.AskedView>;
  /** Throws PROOF_REFUSED if the code is wrong, was used, is too old, or was tried too often. */
  prove(call: TokenCall, proof: { readonly contact: string; readonly code: string }): Promise<api.AskedView>;
  answer(call: TokenCall, answers: Readonly<Record<string, string>>): Promise<api.AskedView>;
  /** Throws NOT_FOUND where no sign-in is configured. */
  startSignIn(call: TokenCall): Promise<SignInStart>;
  /** Gives a token to go on with. Throws PROOF_REFUSED. */
  finishSignIn(back: SignInReturn): Promise<{ readonly token: string }>;
  /** The organization's back end says what it thinks of somebody. Throws UNAUTHENTICATED unless it is signed. */
  backEndAnswered(message: SignedMessage): Promise<void>;
  /** An officer's look; who asks for whom is in the answer, so it is audited. */
  read(caller: Caller, requestId: string): Promise<api.VerificationView>;
  /** An officer is satisfied. Throws CONFLICT unless the request waits for proof. */
  approve(caller: Caller, requestId: string, reason: string): Promise<void>;
  /** Posts to the back end what is due. Never throws. */
  postQuestions(): Promise<void>;
}

export interface SignedMessage {
  readonly requestId: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The bytes exactly as received. */
  readonly body: Uint8Array;
}
