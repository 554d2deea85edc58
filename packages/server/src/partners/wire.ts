/** An answer as it goes over the wire, byte by byte: signatures are over it. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: none, and no Content-Type. */
  readonly body: string | AsyncIterable<Uint8Array> | undefined;
}

export const JSON_TYPE = 'application/json; charset=utf-8';

export function jsonAnswer(status: number, body: unknown, headers: WireAnswer['headers'] = {}): WireAnswer {
  return {
    status,
    headers: { 'content-type': JSON_TYPE, 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  };
}
