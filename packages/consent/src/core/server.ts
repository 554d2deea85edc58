import type { Notice } from './notice.ts';
import type { Signal } from './remember.ts';

export interface ServerOptions {
  /** Where Habeas answers, such as `https://privacy.example.org`. */
  readonly server: string;
  /** Of the texts, BCP 47. (Default: what `Accept-Language` says) */
  readonly language?: string | undefined;
  /** Where the person is, ISO 3166, such as `DE` or `US-CA`. (Default: unknown, and they are asked) */
  readonly region?: string | undefined;
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

/** What a call throws: without a `status` there was no answer. */
export type CallError = { readonly status?: number } | undefined;

/** The two calls of the consent API. They throw a {@link CallError}. */
export function connect({ server, language, region, fetch = globalThis.fetch }: ServerOptions) {
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
    notice() {
      const asked = Object.entries({ language, region });
      const pairs = asked.map(([name, value]) => value && `${name}=${encodeURIComponent(value)}`);
      return call(`notice?${pairs.filter(Boolean).join('&')}`) as Promise<Notice>;
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
