import { connect } from 'node:http2';
import { request } from 'node:https';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { PDClient } from '@habeas/contract/pd';
import { describe, expect, it } from 'vitest';
import {
  CLIENT_CERTIFICATE,
  CLIENT_KEY,
  SERVER_CERTIFICATE,
  SERVER_KEY,
  TEST_CA,
} from '../test/certificates.ts';
import { startService, type TestService } from '../test/service.ts';

const server = { key: SERVER_KEY, cert: SERVER_CERTIFICATE };
const client = { ca: TEST_CA, key: CLIENT_KEY, cert: CLIENT_CERTIFICATE };

function status(service: TestService, options: object): Promise<number | string> {
  return new Promise((resolve) => {
    const call = request(
      { host: '127.0.0.1', port: service.port, path: '/metrics', ...options },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    call.on('error', (error) => resolve('code' in error ? String(error.code) : error.message)).end();
  });
}

describe('a service with TLS', () => {
  it('answers HTTP/1.1 and gRPC on one port', async () => {
    const service = await startService({ tls: server });
    expect(await status(service, { ca: TEST_CA })).toBe(200);
    expect(await status(service, {})).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/);
    const baseUrl = `https://127.0.0.1:${service.port}`;
    const transport = createGrpcTransport({ baseUrl, nodeOptions: { ca: TEST_CA } });
    const headers = { authorization: `Bearer ${await service.signer.token()}` };
    expect((await createClient(PDClient, transport).describe({}, { headers })).service).toBe('accounts');
  });

  it('answers only callers with a certificate where it asks for one', async () => {
    const service = await startService({ tls: { ...server, clientCa: TEST_CA } });
    expect(await status(service, client)).toBe(200);
    expect(await status(service, { ca: TEST_CA })).not.toBe(200);
    const session = connect(`https://127.0.0.1:${service.port}`, { ca: TEST_CA });
    session.on('error', () => undefined);
    const ended = await new Promise((resolve) => {
      const stream = session.request({ ':path': '/metrics' });
      stream.once('response', () => resolve('answered'));
      stream.once('error', () => resolve('refused'));
    });
    expect(ended).toBe('refused');
    session.destroy();
  });
});
