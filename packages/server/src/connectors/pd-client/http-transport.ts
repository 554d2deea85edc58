import {
  create,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  toJson,
} from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { codeFromString } from '@connectrpc/connect/protocol-connect';
import { PDClient } from '@habeas/contract/pd';
import { createHttpClient, type HttpReply } from '../../foundation/index.ts';
import { parseLossless } from '../lossless-json.ts';
import { ANSWERED_STATUS, UnusableAnswer } from './explain-failure.ts';
import type { TransportOptions } from './grpc-transport.ts';
import { httpForm } from './http-path.ts';
import { MAX_ANSWER_BYTES, type PdTransport } from './pd-call.ts';

const MAX_REFUSAL_BYTES = 64 * 1024;

/** The contract's HTTP/JSON API over HTTP/1.1, in the clear or over TLS. */
export function httpTransport(options: TransportOptions): PdTransport {
  const client = createHttpClient(options);
  return {
    async call(method, request, { authorization, timeout, signal }) {
      const json = toJson(method.input, create(method.input, request)) as JsonObject;
      const { body, ...form } = httpForm(method, json);
      const reply = await client.call({
        ...form,
        body: body === undefined ? undefined : JSON.stringify(body),
        headers: {
          accept: 'application/json',
          'connect-timeout-ms': String(Math.ceil(timeout)),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(authorization === undefined ? {} : { authorization }),
        },
        timeout,
        maxBytes: MAX_ANSWER_BYTES,
        signal,
      });
      if (reply.status !== 200) throw refusal(reply, form.method === 'GET');
      return read(method.output, reply);
    },
    async *download(request, { authorization, signal }) {
      const method = PDClient.method.download;
      const json = toJson(method.input, create(method.input, request)) as JsonObject;
      const { path } = httpForm(method, json);
      const headers = {
        accept: 'application/octet-stream',
        ...(authorization === undefined ? {} : { authorization }),
      };
      const { body, ...head } = await client.stream({ method: 'GET', path, headers, signal });
      if (head.status !== 200) throw refusal({ ...head, body: await atMost(body, MAX_REFUSAL_BYTES) }, true);
      yield* body;
    },
    close: () => client.close(),
  };
}

/** An error longer than that is not read to its end: its status says enough. */
async function atMost(pieces: AsyncIterable<Buffer>, bytes: number): Promise<Buffer> {
  const taken: Buffer[] = [];
  let length = 0;
  for await (const piece of pieces) {
    taken.push(piece);
    length += piece.length;
    if (length > bytes) break;
  }
  return Buffer.concat(taken);
}

function read<Output extends DescMessage>(schema: Output, reply: HttpReply) {
  try {
    // Later versions of the contract may have more fields.
    return fromJson(schema, jsonOf(reply) as JsonValue, { ignoreUnknownFields: true });
  } catch (cause) {
    if (cause instanceof UnusableAnswer) throw cause;
    throw new UnusableAnswer(`answered with JSON that is not a ${schema.name}`, { cause });
  }
}

function jsonOf(reply: HttpReply): unknown {
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(reply.contentType)) {
    throw new UnusableAnswer('answered with something that is not application/json');
  }
  try {
    return parseLossless(new TextDecoder('utf-8', { fatal: true }).decode(reply.body));
  } catch (cause) {
    throw new UnusableAnswer('answered with text that is not JSON', { cause });
  }
}

/** The error that an answer stands for: by its `code` where it has one, otherwise by its status. */
function refusal(reply: HttpReply, readsResource: boolean): Error {
  if (reply.status >= 300 && reply.status < 400)
    return new UnusableAnswer(`answered with a redirect (${reply.status}); none is followed`);
  const code = codeOf(reply) ?? codeOfStatus(reply.status, readsResource);
  if (code === undefined) return new UnusableAnswer(`answered with status ${reply.status}`);
  return new ConnectError(`HTTP status ${reply.status}`, code, { [ANSWERED_STATUS]: String(reply.status) });
}

function codeOf(reply: HttpReply): Code | undefined {
  try {
    const body = jsonOf(reply);
    const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined;
    return typeof code === 'string' ? codeFromString(code.toLowerCase()) : undefined;
  } catch {
    // Proxies and frameworks answer errors in HTML; then the status says what there is to say.
    return undefined;
  }
}

function codeOfStatus(status: number, readsResource: boolean): Code | undefined {
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return Code.InvalidArgument;
    case 401:
      return Code.Unauthenticated;
    case 403:
      return Code.PermissionDenied;
    case 404:
    case 410:
      // A path that is not there is an rpc that is not offered; only GetOperation reads something by name.
      return readsResource ? Code.NotFound : Code.Unimplemented;
    case 405:
    case 501:
      return Code.Unimplemented;
    case 408:
    case 504:
      return Code.DeadlineExceeded;
    case 409:
      return Code.Aborted;
    case 429:
      return Code.ResourceExhausted;
    case 502:
    case 503:
      return Code.Unavailable;
    default:
      return status >= 500 ? Code.Internal : undefined;
  }
}
