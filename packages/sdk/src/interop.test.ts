import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { PDClient } from '@habeas/contract/pd';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADA, call, startService, type TestService } from '../test/service.ts';

const protoRoot = fileURLToPath(new URL('../../contract/proto', import.meta.url));
const run = promisify(execFile);
const require = createRequire(import.meta.url);

type Callback = (error: grpc.ServiceError | null, answer: Record<string, unknown>) => void;

/** A client of plain grpc-js that knows nothing but the proto. */
function plainClient(service: TestService, file: string, name: string) {
  const options = { includeDirs: [protoRoot], enums: String, defaults: true };
  let at: unknown = grpc.loadPackageDefinition(loadSync(file, options));
  for (const part of name.split('.')) at = (at as Record<string, unknown>)[part];
  const Client = at as grpc.ServiceClientConstructor;
  const client = new Client(`127.0.0.1:${service.port}`, grpc.credentials.createInsecure());
  onTestFinished(() => client.close());
  return {
    client,
    call: (rpc: string, request: object, metadata = new grpc.Metadata()) =>
      new Promise<Record<string, unknown>>((resolve, reject) => {
        const done: Callback = (error, answer) => (error === null ? resolve(answer) : reject(error));
        const method: unknown = client[rpc];
        if (typeof method === 'function') method.call(client, request, metadata, done);
      }),
  };
}

async function token(service: TestService): Promise<grpc.Metadata> {
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${await service.signer.token()}`);
  return metadata;
}

function buf(...args: string[]) {
  const root = dirname(require.resolve(`@bufbuild/buf-${process.platform}-${process.arch}/package.json`));
  return run(join(root, 'bin', 'buf'), args, { timeout: 20_000 });
}

describe('one port', () => {
  it('answers grpc-js', async () => {
    const service = await startService();
    const { call: rpc } = plainClient(service, 'habeas/pd/v1/pd_client.proto', 'habeas.pd.v1.PDClient');
    const got = await rpc('Get', call(), await token(service));
    expect(got).toMatchObject({
      operation: { state: 'SUCCEEDED', counts: { profiles: 2 } },
      records: [
        { collection: 'profiles', row: { fields: { id: { stringValue: '1' } } } },
        { collection: 'profiles' },
      ],
    });
    await expect(rpc('Get', call())).rejects.toMatchObject({ code: grpc.status.UNAUTHENTICATED });
    await expect(rpc('Get', {}, await token(service))).rejects.toMatchObject({
      code: grpc.status.INVALID_ARGUMENT,
    });
    await expect(rpc('ResolveIdentities', call(), await token(service))).rejects.toMatchObject({
      code: grpc.status.UNIMPLEMENTED,
    });
    await expect(rpc('GetOperation', { name: 'x' }, await token(service))).rejects.toMatchObject({
      code: grpc.status.NOT_FOUND,
    });
  });

  it('answers gRPC, gRPC-Web and Connect, over HTTP/1.1 and HTTP/2', async () => {
    const service = await startService();
    const baseUrl = service.url;
    const transports = [
      createGrpcTransport({ baseUrl }),
      createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
      createConnectTransport({ baseUrl, httpVersion: '1.1' }),
      createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: true }),
    ];
    for (const transport of transports) {
      const headers = { authorization: `Bearer ${await service.signer.token()}` };
      const request = {
        requestId: 'req_1',
        idempotencyKey: crypto.randomUUID(),
        identities: [{ type: 'email', value: ADA }],
      };
      const { operation, records } = await createClient(PDClient, transport).get(request, { headers });
      expect(operation?.counts).toEqual({ profiles: 2 });
      expect(records.map(({ row }) => row)).toEqual([{ id: '1' }, { id: '2' }]);
    }
  });

  it('answers gRPC health checks without a token', async () => {
    const service = await startService();
    const { call: rpc, client } = plainClient(
      service,
      'grpc/health/v1/health.proto',
      'grpc.health.v1.Health',
    );
    expect(await rpc('Check', {})).toEqual({ status: 'SERVING' });
    expect(await rpc('Check', { service: 'habeas.pd.v1.PDClient' })).toEqual({ status: 'SERVING' });
    await expect(rpc('Check', { service: 'nobody' })).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });
    expect(await rpc('List', {})).toEqual({
      statuses: { '': { status: 'SERVING' }, 'habeas.pd.v1.PDClient': { status: 'SERVING' } },
    });
    const watch: unknown = client.Watch;
    const stream: grpc.ClientReadableStream<unknown> =
      typeof watch === 'function' ? watch.call(client, { service: 'nobody' }) : undefined;
    expect(await new Promise((resolve) => stream.once('data', resolve))).toEqual({
      status: 'SERVICE_UNKNOWN',
    });
    stream.on('error', () => undefined);
    stream.cancel();
  });

  it('tells tools what it offers, by reflection, and lets buf call it', async () => {
    const service = await startService();
    const url = `http://127.0.0.1:${service.port}`;
    for (const version of ['grpc-v1', 'grpc-v1alpha']) {
      const common = ['curl', '--http2-prior-knowledge', '--reflect-protocol', version];
      const { stdout: list } = await buf(...common, '--list-services', url);
      expect(list.trim().split('\n').sort()).toEqual([
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
        'habeas.pd.v1.PDClient',
      ]);
      const header = `authorization: Bearer ${await service.signer.token()}`;
      const args = ['--protocol', 'grpc', '--header', header, '--data', '{}'];
      const { stdout } = await buf(...common, ...args, `${url}/habeas.pd.v1.PDClient/Describe`);
      expect(JSON.parse(stdout)).toMatchObject({ service: 'accounts', rights: ['access', 'erasure'] });
    }
  });

  it.each(['v1', 'v1alpha'])('answers every question of reflection %s', async (version) => {
    const service = await startService();
    const name = `grpc.reflection.${version}.ServerReflection`;
    const { client } = plainClient(service, `grpc/reflection/${version}/reflection.proto`, name);
    const method: unknown = client.ServerReflectionInfo;
    const stream: grpc.ClientDuplexStream<object, Record<string, never>> = typeof method === 'function'
      ? method.call(client)
      : undefined;
    const ask = async (question: object) => {
      const answer = new Promise<Record<string, never>>((resolve) => stream.once('data', resolve));
      stream.write(question);
      return answer;
    };
    const file = {
      fileDescriptorResponse: { fileDescriptorProto: expect.arrayContaining([expect.any(Buffer)]) },
    };
    const missing = { errorResponse: { errorCode: 5 } };
    const containingType = 'google.protobuf.MethodOptions';
    const cases: readonly (readonly [object, object])[] = [
      [{ fileByFilename: 'habeas/pd/v1/pd_client.proto' }, file],
      [{ fileByFilename: 'google/api/http.proto' }, file],
      [{ fileByFilename: 'nothing.proto' }, missing],
      [{ fileContainingSymbol: 'habeas.pd.v1.PDClient' }, file],
      [{ fileContainingSymbol: 'habeas.pd.v1.PDClient.Get' }, file],
      [{ fileContainingSymbol: 'habeas.pd.v1.Operation.State' }, file],
      [{ fileContainingSymbol: 'nothing' }, missing],
      [{ fileContainingExtension: { containingType, extensionNumber: 72_295_728 } }, file],
      [{ fileContainingExtension: { containingType, extensionNumber: 1 } }, missing],
      [
        { allExtensionNumbersOfType: containingType },
        { allExtensionNumbersResponse: { extensionNumber: [72_295_728] } },
      ],
      [{ allExtensionNumbersOfType: 'nothing' }, missing],
      [{ listServices: '' }, { listServicesResponse: { service: expect.any(Array) } }],
      [{}, { errorResponse: { errorCode: 3 } }],
    ];
    for (const [question, answer] of cases) expect(await ask(question)).toMatchObject(answer);
    stream.end();
  });

  it('tells HTTP/2 from HTTP/1.1 however the first bytes come', async () => {
    const service = await startService();
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';
    const http1 = 'PROPFIND / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';
    for (const [text, fits] of [
      [preface, (bytes: Buffer) => bytes[3] === 4],
      [http1, (bytes: Buffer) => bytes.toString().startsWith('HTTP/1.1 404')],
    ] as const) {
      for (const size of [1, 2, 3, text.length]) {
        const socket = connect(service.port, '127.0.0.1').setNoDelay();
        const answer = new Promise<Buffer>((resolve) => socket.once('data', resolve));
        for (let at = 0; at < text.length; at += size) {
          await new Promise((resolve) => socket.write(text.slice(at, at + size), 'latin1', resolve));
          // The server lives in this process: let it read these bytes before the next ones come.
          for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        }
        expect(fits(await answer)).toBe(true);
        socket.destroy();
      }
    }
  });

  it('stays up when clients break off or talk nonsense', async () => {
    const service = await startService();
    for (const text of [
      '',
      'P',
      'PR',
      'PRI',
      'PRI * HTTP/2.0\r\n\r\nXX',
      '\0\0\0',
      'GET',
      'nonsense\r\n\r\n',
    ]) {
      const socket = connect(service.port, '127.0.0.1');
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.write(text === '' ? Buffer.alloc(0) : text, resolve));
      socket.resetAndDestroy();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect((await service.post('personal-data:get')).status).toBe(200);
  });

  it('tells when its port is taken', async () => {
    const service = await startService();
    await expect(startService({ port: service.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('lets a call end before it closes', async () => {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const service = await startService({
      delete: async () => {
        begun.resolve();
        await gate.promise;
        return { counts: { profiles: 2 } };
      },
    });
    const answer = service.post('personal-data:delete');
    await begun.promise;
    const closed = service.close();
    gate.resolve();
    expect((await answer).json.operation.state).toBe('SUCCEEDED');
    await closed;
    await expect(fetch(`${service.url}/metrics`)).rejects.toThrow();
  });
});
