import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';

export interface AgentKey {
  readonly privateKey: KeyObject;
  /** 32 bytes in base64, as the service directory has them. */
  readonly verifyKey: string;
}

export function newAgentKey(): AgentKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const x = publicKey.export({ format: 'jwk' }).x ?? '';
  return { privateKey, verifyKey: Buffer.from(x, 'base64url').toString('base64') };
}

/** libsodium's combined mode: base64 of the signature followed by what is signed. */
export function combined(content: object | string, { privateKey }: AgentKey): string {
  const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  return Buffer.concat([sign(null, bytes, privateKey), bytes]).toString('base64');
}

/** The claims of a message from now on; seconds may lie in the past or the future. */
export function claims(options: {
  readonly agent: string;
  readonly business: string;
  readonly issuedIn?: number;
  readonly expiresIn?: number;
}): Readonly<Record<string, string>> {
  const at = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
  return {
    'agent-id': options.agent,
    'business-id': options.business,
    'issued-at': at(options.issuedIn ?? -1),
    'expires-at': at(options.expiresIn ?? 600),
    'drp.version': '1.0',
  };
}

/** What an agent reads of a request. */
export interface AgentStatus {
  readonly request_id: string;
  readonly status: string;
  readonly reason?: string;
  readonly processing_details?: string;
  readonly user_verification_url?: string | null;
  readonly expires_at?: string;
}

/** A double of an agent of the Data Rights Protocol 1.0, written from its specification, that speaks to a server over HTTP. */
export class DrpAgent {
  readonly id: string;
  readonly key = newAgentKey();
  token = '';
  readonly #server: { readonly url: string; readonly business: string };

  constructor(id: string, server: { readonly url: string; readonly business: string }) {
    this.id = id;
    this.#server = server;
  }

  /** As the service directory has it. */
  entry(callbackOrigins: readonly string[]) {
    return {
      id: this.id,
      name: `Agent ${this.id}`,
      verify_key: this.key.verifyKey,
      callback_origins: callbackOrigins,
    };
  }

  /** Pair-wise key setup; gives the status of the answer. */
  async setUp(key: AgentKey = this.key): Promise<number> {
    const message = combined({ ...this.#claims(), nonce: randomUUID() }, key);
    const answer = await this.send('POST', `/v1/agent/${this.id}`, message);
    if (answer.ok) this.token = ((await answer.json()) as { token: string }).token;
    return answer.status;
  }

  send(method: string, path: string, body?: string): Promise<Response> {
    return fetch(new URL(path, this.#server.url), {
      method,
      headers: {
        ...(this.token === '' ? {} : { authorization: `Bearer ${this.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'text/plain' }),
      },
      body: body ?? null,
    });
  }

  exercise(content: object): Promise<Response> {
    return this.send('POST', '/v1/data-rights-request', this.signed(content));
  }

  signed(content: object): string {
    const request = { exercise: 'deletion', regime: 'ccpa', relationships: ['customer'] };
    return combined({ ...this.#claims(), ...request, ...content }, this.key);
  }

  async statusOf(requestId: string): Promise<AgentStatus> {
    const answer = await this.send('GET', `/v1/data-rights-request/${requestId}`);
    return (await answer.json()) as AgentStatus;
  }

  revoke(requestId: string): Promise<Response> {
    return this.send('DELETE', `/v1/data-rights-request/${requestId}`, combined({}, this.key));
  }

  #claims() {
    return claims({ agent: this.id, business: this.#server.business });
  }
}
