import {
  type DescField,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  fromJson,
  getOption,
  hasOption,
  type JsonValue,
  type MessageShape,
  ScalarType,
  toJson,
} from '@bufbuild/protobuf';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import type { HttpRule } from '@habeas/contract/pd';
import { http } from '@habeas/contract/pd';
import { type PathTemplate, parsePathTemplate } from './path-template.ts';

/** A call in HTTP and JSON. */
export interface HttpCall {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly url: string;
  readonly headers: Headers;
  /** The body's text; undefined without one. */
  readonly body: string | undefined;
  /** How long the call may take, in milliseconds. */
  readonly timeout: number | undefined;
  readonly signal: AbortSignal;
}

type JsonObject = { [key: string]: JsonValue };

interface Route {
  readonly verb: string;
  readonly template: PathTemplate;
  readonly rule: HttpRule;
  readonly method: DescMethodUnary | DescMethodServerStreaming;
}

/** JSON, or the bytes of a streaming method that has a field of bytes as its response_body. */
export type HttpResult = { readonly json: JsonValue } | { readonly bytes: AsyncIterable<Uint8Array> };

/** Finds the rpc of a path. */
export interface Transcoder {
  /** Undefined when no rpc has this path; `allowed` when one has it under another HTTP method. */
  find(
    verb: string,
    url: string,
  ): ((call: HttpCall) => Promise<HttpResult>) | { readonly allowed: readonly string[] } | undefined;
}

/**
 * The HTTP/JSON API that the google.api.http options of the services' methods describe (google/api/http.proto), as calls
 * through `transport`. Calls throw a ConnectError. Of streaming methods only those have a path whose answers are bytes; custom verbs
 * have none.
 */
export function createTranscoder(services: readonly DescService[], transport: Transport): Transcoder {
  const routes = services
    .flatMap((service) => service.methods.flatMap(routesOf))
    .sort((one, other) => other.template.literals - one.template.literals);
  return {
    find(verb, url) {
      const path = url.split('?', 1)[0] ?? '';
      const fitting = routes.flatMap((route) => {
        const variables = route.template.match(path);
        return variables === undefined ? [] : [{ route, variables }];
      });
      const found = fitting.find(({ route }) => route.verb === verb);
      if (found !== undefined) return (call) => invoke({ ...found, call, transport });
      return fitting.length === 0 ? undefined : { allowed: fitting.map(({ route }) => route.verb) };
    },
  };
}

function routesOf(given: DescService['methods'][number]): Route[] {
  const { methodKind } = given;
  if ((methodKind !== 'unary' && methodKind !== 'server_streaming') || !hasOption(given, http)) return [];
  const method = given as Route['method'];
  const rule = getOption(method, http);
  return [rule, ...rule.additionalBindings].flatMap((binding) => {
    const { case: verb, value } = binding.pattern;
    if (verb === undefined || verb === 'custom') return [];
    if (methodKind === 'server_streaming' && bytesField(method, binding) === undefined) return [];
    return [{ verb: verb.toUpperCase(), template: parsePathTemplate(value), rule: binding, method }];
  });
}

async function invoke(options: {
  readonly route: Route;
  readonly variables: Readonly<Record<string, string>>;
  readonly call: HttpCall;
  readonly transport: Transport;
}): Promise<HttpResult> {
  const { route, call, transport } = options;
  const { method } = route;
  const json = requestJson(options);
  let input: MessageShape<DescMessage>;
  try {
    input = fromJson(method.input, json, { ignoreUnknownFields: true });
  } catch {
    // The parser's error quotes the value, which may be personal data.
    throw new ConnectError(`the request does not fit ${method.input.typeName}`, Code.InvalidArgument);
  }
  if (method.methodKind === 'server_streaming') {
    const once = (async function* () {
      yield input;
    })();
    const stream = await transport.stream(method, call.signal, call.timeout, call.headers, once);
    return { bytes: bytesOf(stream.message, bytesField(method, route.rule)) };
  }
  const response = await transport.unary(method, call.signal, call.timeout, call.headers, input);
  const output = toJson(method.output, response.message as MessageShape<DescMessage>);
  const field = route.rule.responseBody;
  return { json: field === '' ? output : ((output as JsonObject)[jsonName(method.output, field)] ?? null) };
}

function bytesField(method: Route['method'], rule: HttpRule): DescField | undefined {
  const field = fieldOf(method.output, rule.responseBody);
  return field?.fieldKind === 'scalar' && field.scalar === ScalarType.BYTES ? field : undefined;
}

async function* bytesOf(
  messages: AsyncIterable<MessageShape<DescMessage>>,
  field: DescField | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const message of messages) {
    const value: unknown = field === undefined ? undefined : Reflect.get(message, field.localName);
    if (value instanceof Uint8Array) yield value;
  }
}

function requestJson(options: {
  readonly route: Route;
  readonly variables: Readonly<Record<string, string>>;
  readonly call: HttpCall;
}): JsonObject {
  const { rule, method } = options.route;
  const json: JsonObject = {};
  if (rule.body === '*') Object.assign(json, asObject(parseBody(options.call.body)));
  else {
    if (rule.body !== '') json[jsonName(method.input, rule.body)] = parseBody(options.call.body) ?? {};
    const query = new URLSearchParams(options.call.url.split('?')[1] ?? '');
    for (const name of new Set(query.keys()))
      setField(json, method.input, name.split('.'), query.getAll(name));
  }
  for (const [path, value] of Object.entries(options.variables)) {
    setField(json, method.input, path.split('.'), [value]);
  }
  return json;
}

function parseBody(body: string | undefined): JsonValue | undefined {
  if (body === undefined || body === '') return undefined;
  try {
    return JSON.parse(body) as JsonValue;
  } catch {
    throw new ConnectError('the body is not JSON', Code.InvalidArgument);
  }
}

function asObject(value: JsonValue | undefined): JsonObject {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new ConnectError('the body is not a JSON object', Code.InvalidArgument);
}

function jsonName(message: DescMessage, name: string): string {
  return fieldOf(message, name)?.jsonName ?? name;
}

function fieldOf(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.name === name || field.jsonName === name);
}

/** Sets a field that came as text in a path or a query. Unknown fields are ignored, as unknown fields in a body are. */
function setField(
  json: JsonObject,
  message: DescMessage,
  path: readonly string[],
  values: readonly string[],
): void {
  const [name = '', ...rest] = path;
  const field = fieldOf(message, name);
  if (field === undefined) return;
  if (rest.length > 0) {
    if (field.fieldKind !== 'message') return;
    const inner = asObject(json[field.jsonName]);
    json[field.jsonName] = inner;
    setField(inner, field.message, rest, values);
    return;
  }
  const single = values.at(-1) ?? '';
  json[field.jsonName] =
    field.fieldKind === 'list' ? values.map((value) => fromText(field, value)) : fromText(field, single);
}

/** Proto JSON takes numbers, names of enums, bytes and times as text; `true` and `false` and numbers of enums have to be JSON. */
function fromText(field: DescField, text: string): JsonValue {
  if ('scalar' in field && field.scalar === ScalarType.BOOL && (text === 'true' || text === 'false'))
    return text === 'true';
  if ('enum' in field && field.enum !== undefined && /^-?\d{1,10}$/.test(text)) return Number(text);
  return text;
}
