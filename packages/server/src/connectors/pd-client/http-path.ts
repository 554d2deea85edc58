import {
  type DescMethodServerStreaming,
  type DescMethodUnary,
  getOption,
  type JsonObject,
  type JsonValue,
} from '@bufbuild/protobuf';
import { http } from '@habeas/contract/pd';
import { HabeasError } from '../../foundation/index.ts';

/** How one rpc is called over HTTP and JSON. */
export interface HttpForm {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: JsonObject | undefined;
}

/** Puts a request, as proto JSON, into the form of the method's google.api.http option. */
export function httpForm(method: DescMethodUnary | DescMethodServerStreaming, request: JsonObject): HttpForm {
  const { pattern, body } = getOption(method, http);
  if (pattern.case !== 'get' && (pattern.case !== 'post' || body !== '*')) {
    throw new HabeasError('INTERNAL', `${method.name} has no form over HTTP that this version knows.`);
  }
  const left = new Map(Object.entries(request));
  const path = pattern.value.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = left.get(name);
    left.delete(name);
    return encodeURIComponent(text(value));
  });
  if (pattern.case === 'post') return { method: 'POST', path, body: Object.fromEntries(left) };
  const query = new URLSearchParams(
    [...left].map(([name, value]): [string, string] => [name, text(value)]),
  ).toString();
  return { method: 'GET', path: query === '' ? path : `${path}?${query}`, body: undefined };
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}
