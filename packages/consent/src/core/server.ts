import type { Notice } from './notice.ts';
import type { Signal } from './remember.ts';

export interface ServerOptions {
  /** Where Habeas answers, such as `https://privacy.example.org`. */
  readonly server: string;
  /** (Default: the one that is there) */
  readonly fetch?: typeof globalThis.fetch;
}

/** What somebody says, and who. */
interface Saying {
  readonly anonymous_id?: string | undefined;
  readonly identity_token?: string | undefined;
  readonly gpc?: boolean;
  /** When the browser first sent it, ISO 8601. */
  readonly gpc_since?: string | undefined;
  readonly signals: readonly Signal[];
}

/** What all that they said comes to, once the server took it. */
export interface Taken {
  /** The server's clock, ISO 8601. */
  readonly as_of: string;
  readonly purposes: readonly {
    readonly code: string;
    readonly said: boolean | null;
    /** When, ISO 8601, where it matters how long ago. */
    readonly said_at?: string;
  }[];
  readonly outcomes: readonly { readonly event_id: string; readonly code: string | null }[];
}

/** The status of an answer that is an error; undefined where there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as { readonly status?: number } | undefined)?.status;
}

/** The two calls of the consent API. They throw an error with a `status`, or what `fetch` throws without a network. */
export function connect({ server, fetch = globalThis.fetch }: ServerOptions) {
  async function call(path: string, init?: RequestInit): Promise<unknown> {
    // Called by itself: a browser's fetch wants no other object as its `this`.
    const answer = await fetch(`${server.replace(/\/$/, '')}/consent/v1/${path}`, {
      credentials: 'omit',
      ...init,
    });
    const { ok, status } = answer;
    // No class: what builds the field of one for older browsers is larger than all of this.
    if (!ok) throw Object.assign(new Error(`Habeas answers ${status}.`), { status });
    return answer.json();
  }

  return {
    // Not by `URLSearchParams`: an engine without a browser may have none.
    notice(asked: Readonly<Record<string, string>>) {
      const pairs = Object.entries(asked).map((pair) => pair.map(encodeURIComponent).join('='));
      return call(`notice?${pairs.join('&')}`) as Promise<Notice>;
    },
    say: (saying: Saying) =>
      call('choices', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(saying),
        // The page may go away right after somebody chose.
        keepalive: true,
      }) as Promise<Taken>,
  };
}
