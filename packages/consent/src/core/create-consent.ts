import { afterAnswer } from './after-answer.ts';
import { canRefuse, type Notice, type NoticePurpose } from './notice.ts';
import { randomId } from './random-id.ts';
import {
  type KeyValueStorage,
  type Memory,
  NOTHING,
  remember,
  type Signal,
  type Waiting,
} from './remember.ts';
import { type CallError, connect, type ServerOptions } from './server.ts';

/** Code of a purpose → granted or refused. */
export type Choices = Readonly<Record<string, boolean>>;

export interface ConsentOptions extends ServerOptions {
  /** Where choices stay on the device. (Default: nowhere, and they end with this object) */
  readonly storage?: KeyValueStorage | undefined;
  /** Whether the person's browser sends Global Privacy Control. (Default: false) */
  readonly gpc?: boolean | undefined;
  /** `tag` for the browser tag. (Default: `sdk`) */
  readonly source?: Signal['source'];
  /** A new id that nobody can guess, 16 to 64 letters and digits, `-` and `_`. (Default: from `crypto.getRandomValues`) */
  readonly newId?: () => string;
  /** (Default: the device's clock) */
  readonly now?: () => Date;
  /** Told what did not work: a server that cannot be reached, a token that is refused, a listener that fails. */
  readonly onError?: (error: unknown) => void;
}

/** What a person agreed to, as this device knows it. Everything that is allowed or refused is asked here. */
export interface Consent {
  /** What is remembered is known, and the notice is there or could not be had. */
  readonly ready: Promise<void>;
  /** What to show; undefined until it is there. */
  readonly notice: Notice | undefined;
  /** Whether data may be used for a purpose now. False for purposes that nobody knows. */
  allowed(code: string): boolean;
  /** What the person said; purposes about which they said nothing are missing. */
  readonly said: Choices;
  /** Whether the person has to be asked: something that they can refuse has no answer yet, or one that is too old. */
  readonly mustAsk: boolean;
  /** Whether Global Privacy Control of the person's browser refuses anything here. */
  readonly gpc: boolean;
  /** Whether a choice is still there on the next page: storage may be blocked. */
  readonly isKept: boolean;
  /**
   * Keeps a choice; it is in force and stored when this ends, and goes to the server when there is a network. Of a choice about
   * nothing only that the person was asked is kept.
   */
  choose(choices: Choices, variant?: string): Promise<void>;
  /** The same answer about everything that can be refused. */
  chooseAll(granted: boolean, variant?: string): Promise<void>;
  /** Whose choices these are, by a token that the back end of the organization signed; what both know is merged in one call. */
  identify(token: string): Promise<void>;
  /** Sends what no server has taken yet, and gets the notice if it is not there. Also done after each choice and at the start. */
  send(): Promise<void>;
  /** Reads again what is stored: another tab may have changed it. */
  reload(): Promise<void>;
  /** Forgets the person on this device, such as when they sign out; the server keeps what they said, and what is unsent is sent once. */
  forget(): Promise<void>;
  /** Called after every change; the answer ends that. */
  onChange(listener: () => void): () => void;
}

/** A call that may outlive its page has at most 64 KiB (Fetch standard, `keepalive`): room for so many of 63 purposes with the longest codes. */
const MOST_SIGNALS = 10;
/** Somebody who was offline for so many choices loses the oldest. */
const LONGEST_OUTBOX = 100;
const DAY_MILLISECONDS = 86_400_000;

/** Needs no DOM: it is the same in browsers, in Node and in React Native. */
export function createConsent(options: ConsentOptions): Consent {
  const { now = () => new Date(), onError = () => undefined, gpc = false, source = 'sdk' } = options;
  const { newId = randomId } = options;
  const server = connect(options);
  const device = remember(options.storage);
  const listeners = new Set<() => void>();
  let memory = NOTHING;
  let notice: Notice | undefined;
  let token: string | undefined;
  /** The token that the server's last answer was for. */
  let askedWith: string | undefined;
  let sending = Promise.resolve();
  /** How often the person was forgotten: an answer to what was asked before that is none about who is here now. */
  let forgotten = 0;

  function tell(next: Memory): void {
    const before = JSON.stringify(memory);
    memory = next;
    notice ??= next.notice;
    if (JSON.stringify(next) !== before) tellListeners();
  }

  /** One that fails keeps nothing from the others, nor a choice from being sent. */
  function tellListeners(): void {
    for (const listener of listeners)
      try {
        listener();
      } catch (error) {
        onError(error);
      }
  }

  async function learn(asked: Promise<Memory>): Promise<void> {
    const before = forgotten;
    const next = await asked;
    if (before !== forgotten) return;
    // Another tab has forgotten the person.
    if (next === NOTHING && memory !== NOTHING) leave();
    tell(next);
  }

  function leave(): void {
    forgotten += 1;
    token = askedWith = undefined;
  }

  const change = (by: (now: Memory) => Memory) => learn(device.change(by));
  const reload = () => learn(device.read());
  const purposeOf = (code: string) => notice?.purposes.find((one) => one.code === code);
  const isOlder = (at: string, days: number | null | undefined) =>
    days != null && +now() - Date.parse(at) >= days * DAY_MILLISECONDS;

  /** What was said last, unless it is an agreement that has expired. */
  function saidOf(code: string) {
    const said = memory.said[code];
    return said?.granted && isOlder(said.at, purposeOf(code)?.validity_days) ? undefined : said;
  }

  function allowed(code: string): boolean {
    const purpose = purposeOf(code);
    if (notice && !purpose) return false;
    if (purpose && !canRefuse(purpose)) return true;
    const said = saidOf(code);
    if (said) return said.granted;
    return !!purpose && purpose.allowed_by_default && !(gpc && purpose.gpc);
  }

  const codesOf = (which: (purpose: NoticePurpose) => boolean) =>
    notice?.purposes.filter(which).map(({ code }) => code) ?? [];
  const gpcCodes = () => codesOf((purpose) => gpc && purpose.gpc);

  function needsAnswer(purpose: NoticePurpose): boolean {
    // Their browser has answered for them.
    if (!canRefuse(purpose) || (gpc && purpose.gpc)) return false;
    const said = saidOf(purpose.code);
    // What is on by default needs no answer of its own.
    if (!said) return !purpose.allowed_by_default || !(memory.notice || Object.keys(memory.said)[0]);
    return isOlder(said.at, purpose.ask_again_days);
  }

  async function loadNotice(): Promise<void> {
    try {
      notice = await server.notice();
      await reload();
      // The next page begins with it: what an older one allowed may need an answer now.
      if (memory.notice) await change((known) => ({ ...known, notice }));
      tellListeners();
    } catch (error) {
      // What is remembered stays in force.
      onError(error);
    }
    await hearGpc();
  }

  async function start(): Promise<void> {
    await reload();
    await loadNotice();
    if (hasNews()) void send();
  }

  /** The first time counts, also against what was said before; what is said afterwards is a later choice. */
  async function hearGpc(): Promise<void> {
    const codes = gpcCodes();
    if (memory.gpc || !codes[0]) return;
    const refused = { granted: false, at: now().toISOString() };
    const saying = Object.fromEntries(codes.map((code) => [code, refused]));
    await change((known) => ({
      ...known,
      id: known.id ?? newId(),
      said: { ...known.said, ...saying },
      gpc: { since: refused.at, told: false },
    }));
  }

  /** Whether there is anything that the server does not know, or that it was not asked. */
  const hasNews = (most = 1) => !!batches(most)[0] || memory.gpc?.told === false || token !== askedWith;

  /** One call at a time; who asks while one runs gets one after it. */
  function send(): Promise<void> {
    sending = sending.then(sendAll);
    return sending;
  }

  async function sendAll(): Promise<void> {
    try {
      if (!notice) await loadNotice();
      await reload();
      for (let most = MOST_SIGNALS; hasNews(most); ) most = await sendSome(most);
    } catch (error) {
      onError(error);
    }
  }

  /**
   * What can be sent now, by calls. What was said before the person signed in is said as nobody's: Habeas knows whether it becomes
   * theirs. What they said signed in waits until they are again: nobody else said it.
   */
  const batches = (most: number) =>
    [false, true]
      .map((theirs) =>
        memory.outbox.filter(({ signed = false }) => signed === theirs && (!theirs || token)).slice(0, most),
      )
      .filter(({ length }) => length > 0);

  const tokenOf = ([first]: readonly Waiting[]) => (first && !first.signed ? undefined : token);

  const say = (waiting: readonly Waiting[]) =>
    server.say({
      anonymous_id: memory.id,
      identity_token: tokenOf(waiting),
      ...(gpc && { gpc, gpc_since: memory.gpc?.since }),
      signals: waiting.map(({ signed: _, ...signal }) => signal),
    });

  /** Gives how many the next call takes. */
  async function sendSome(most: number): Promise<number> {
    const before = forgotten;
    const [waiting = []] = batches(most);
    const as = tokenOf(waiting);
    try {
      const taken = await say(waiting);
      await reload();
      if (before === forgotten) {
        askedWith = as;
        await change((known) =>
          afterAnswer(known, { taken, now: +now(), isTheirs: !!as && as === token, isShown: purposeOf }),
        );
      }
      // What a server does not know yet is not for this call and the next.
      return taken.outcomes.some(({ code }) => code === 'unknown-purpose') ? 0 : most;
    } catch (error) {
      const status = (error as CallError)?.status;
      // Meanwhile there may be another token.
      if (status === 401 && as === token) token = askedWith = undefined;
      const [first] = waiting;
      if (status !== 400 || !first || before !== forgotten) throw error;
      // Which of them can never be taken shows when each is sent by itself. It must not keep back what comes after it.
      if (!waiting[1]) {
        onError(error);
        const isAnother = ({ event_id: id }: Waiting) => id !== first.event_id;
        await change((known) => ({ ...known, outbox: known.outbox.filter(isAnother) }));
      }
      return 1;
    }
  }

  async function choose(choices: Choices, variant = ''): Promise<void> {
    const seen = notice;
    if (!seen) throw new Error('There is no notice yet.');
    // Later than all that is known, also where a clock is behind or coarse: the server goes by when something was said.
    const known = Object.values(memory.said).map((said) => Date.parse(said.at) + 1);
    const at = new Date(Math.max(+now(), ...known)).toISOString();
    const waiting: Waiting = {
      event_id: newId(),
      said_at: at,
      choices,
      source,
      notice: { version: seen.version, language: seen.language, variant },
      ...(token && { signed: true }),
    };
    const saying = Object.entries(choices).map(([code, granted]) => [code, { granted, at }]);
    await change((known) => ({
      ...known,
      ...(saying[0] && {
        id: known.id ?? newId(),
        said: { ...known.said, ...Object.fromEntries(saying) },
        outbox: [...known.outbox, waiting].slice(-LONGEST_OUTBOX),
      }),
      notice: seen,
    }));
    void send();
  }

  return {
    ready: start(),
    get notice() {
      return notice;
    },
    allowed,
    get said() {
      const counting = Object.entries(memory.said).filter(([code]) => saidOf(code));
      return Object.fromEntries(counting.map(([code, { granted }]) => [code, granted]));
    },
    get mustAsk() {
      return notice?.jurisdiction.show === 'banner' && notice.purposes.some(needsAnswer);
    },
    get gpc() {
      return !!gpcCodes()[0];
    },
    get isKept() {
      return device.isKept();
    },
    choose,
    async chooseAll(granted, variant) {
      await choose(Object.fromEntries(codesOf(canRefuse).map((code) => [code, granted])), variant);
    },
    async identify(next) {
      token = next;
      askedWith = undefined;
      await send();
    },
    send,
    reload,
    async forget() {
      // Forgetting waits for no network: what is unsent is tried once more, and nobody hears what came of it.
      for (const waiting of batches(MOST_SIGNALS)) void say(waiting).catch(onError);
      leave();
      tell(NOTHING);
      await device.forget();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
