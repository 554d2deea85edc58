import type { Notice } from './notice.ts';

/** Such as `localStorage`, or React Native's AsyncStorage: answers may be promises. */
export interface KeyValueStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

/** A statement as it goes to the server. */
export interface Signal {
  readonly event_id: string;
  /** ISO 8601. */
  readonly said_at: string;
  readonly choices: Readonly<Record<string, boolean>>;
  readonly source: 'tag' | 'sdk';
  readonly notice: { readonly version: string; readonly language: string; readonly variant: string };
}

/** A statement that no server has taken yet. */
export interface Waiting extends Signal {
  /** Whether the person was signed in when they said it. */
  readonly signed?: boolean;
}

/** What stays on the device. Nothing does before somebody chose, or their browser sent Global Privacy Control. */
export interface Memory {
  /** Of the device, made at random; who knows it can choose for this device. */
  readonly id?: string;
  /** Code of a purpose → what was said last, and when (ISO 8601). */
  readonly said: Readonly<Record<string, { readonly granted: boolean; readonly at: string }>>;
  /** What no server has taken yet, oldest first. */
  readonly outbox: readonly Waiting[];
  /** When the browser first sent Global Privacy Control (ISO 8601), and whether the server knows it. */
  readonly gpc?: { readonly since: string; readonly told: boolean };
  /** The last one, so that it is there without a network. */
  readonly notice?: Notice | undefined;
}

export const NOTHING: Memory = { said: {}, outbox: [] };

const KEY = 'habeas-consent';

/** The memory of this device, over what is passed in. Without storage, or where it is blocked, it lives as long as the page. */
export function remember(storage: KeyValueStorage | undefined) {
  let last = NOTHING;
  let kept = !!storage;
  let turn: Promise<unknown> = Promise.resolve();

  async function read(): Promise<Memory> {
    try {
      const text = await storage?.getItem(KEY);
      if (kept) last = parse(text);
    } catch {
      kept = false;
    }
    return last;
  }

  const write = async () => storage?.setItem(KEY, JSON.stringify(last));
  const remove = async () => storage?.removeItem(KEY);

  /** One after the other: nothing is read in between that is changed or forgotten just then. */
  function inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const done = turn.then(act);
    turn = done.catch(() => undefined);
    return done;
  }

  return {
    /** Whether what is written is there on the next page. */
    isKept: () => kept,
    read: () => inTurn(read),
    /** Changes what is there now, which may be what another tab wrote. */
    change: (by: (memory: Memory) => Memory) =>
      inTurn(async () => {
        last = by(await read());
        await write()
          // Where storage is full, what was said before must not be back on the next page.
          .catch(() => remove().then(write))
          .catch(() => {
            kept = false;
          });
        return last;
      }),
    forget: () =>
      inTurn(async () => {
        last = NOTHING;
        await remove();
      }),
  };
}

/** What somebody else wrote under our key is as good as nothing. */
function parse(text: string | null | undefined): Memory {
  try {
    const found: Memory = JSON.parse(text ?? '');
    const said = Object.values(found.said).every(({ at }) => Date.parse(at));
    return said && found.outbox.every(({ choices, said_at: at }) => choices && Date.parse(at))
      ? found
      : NOTHING;
  } catch {
    return NOTHING;
  }
}
