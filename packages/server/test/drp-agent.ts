import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

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
