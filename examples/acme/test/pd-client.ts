import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Client, createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { PDClient } from '@habeas/contract/pd';
import { SignJWT } from 'jose';

/** A key pair as Habeas has one, for tests that call the services themselves. */
export interface TestKeys {
  /** Ed25519 in base64url. */
  readonly publicKey: string;
  token(service: string): Promise<string>;
}

export function createTestKeys(): TestKeys {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key: KeyObject = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
  return {
    publicKey: publicKey.export({ format: 'jwk' }).x ?? '',
    token: (service) =>
      new SignJWT()
        .setProtectedHeader({ alg: 'EdDSA' })
        .setIssuer('habeas')
        .setAudience(service)
        .setIssuedAt()
        .setExpirationTime('2m')
        .sign(key),
  };
}

/** A gRPC client of a service. */
export function grpcClient(options: {
  readonly service: string;
  readonly port: number;
  readonly keys: TestKeys;
}): Client<typeof PDClient> {
  const authorize: Interceptor = (next) => async (request) => {
    request.header.set('authorization', `Bearer ${await options.keys.token(options.service)}`);
    return next(request);
  };
  const baseUrl = `http://127.0.0.1:${options.port}`;
  return createClient(PDClient, createGrpcTransport({ baseUrl, interceptors: [authorize] }));
}

/** A call over the contract's HTTP/JSON paths: `post('personal-data:get', { … })`. */
export function httpClient(options: {
  readonly service: string;
  readonly port: number;
  readonly keys: TestKeys;
}) {
  const send = async (path: string, init: RequestInit) => {
    const headers = {
      authorization: `Bearer ${await options.keys.token(options.service)}`,
      'content-type': 'application/json',
    };
    const url = `http://127.0.0.1:${options.port}/v1/${path}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000), ...init, headers });
    return { status: response.status, body: await response.text() };
  };
  return {
    send,
    post: async (path: string, body: unknown) => {
      const { status, body: answer } = await send(path, { method: 'POST', body: JSON.stringify(body) });
      if (status !== 200) throw new Error(`${path} answered ${status}: ${answer}`);
      return JSON.parse(answer);
    },
    operation: async (name: string) => JSON.parse((await send(`operations/${name}`, { method: 'GET' })).body),
  };
}

/** What every call about a person has. */
export function callAbout(identities: readonly { readonly type: string; readonly value: string }[]) {
  return { requestId: `req_${randomUUID()}`, idempotencyKey: randomUUID(), identities: [...identities] };
}

export interface Callback {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Where services report to; `about(key)` is a report with that idempotency key, as soon as one is there. */
export async function listenForCallbacks(): Promise<{
  readonly url: string;
  about(key: string): Promise<Callback>;
  close(): Promise<void>;
}> {
  const came = new EventEmitter();
  const all: Callback[] = [];
  const server = createServer(async (request, response) => {
    all.push({ headers: request.headers, body: await text(request) });
    response.writeHead(204).end();
    came.emit('report');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}/callback`,
    about: async (key) => {
      for (;;) {
        const found = all.find(({ body }) => body.includes(key));
        if (found !== undefined) return found;
        await once(came, 'report');
      }
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}
