import http from 'node:http';
import http2 from 'node:http2';
import { syncBuiltinESMExports } from 'node:module';

/** Each call by HTTP, of services, trackers and webhooks, named after its path. */
export function failAtCalls(passes: (name: string) => void): void {
  const connect = http2.connect;
  http2.connect = function (this: unknown, ...given: unknown[]) {
    const session = Reflect.apply(connect, this, given) as http2.ClientHttp2Session;
    const request = session.request.bind(session);
    session.request = (headers, options) => {
      const name = nameOfCall(String((headers as http2.OutgoingHttpHeaders | undefined)?.[':path'] ?? '/'));
      passes(`before ${name}`);
      const stream = request(headers, options);
      stream.prependOnceListener('response', () => passes(`after ${name}`));
      return stream;
    };
    return session;
  } as typeof http2.connect;

  const httpRequest = http.request;
  http.request = function (this: unknown, ...given: unknown[]) {
    const request = Reflect.apply(httpRequest, this, given) as http.ClientRequest;
    const name = nameOfCall(`${request.method === 'GET' ? '' : `${request.method} `}${request.path}`);
    passes(`before ${name}`);
    request.prependOnceListener('response', () => passes(`after ${name}`));
    return request;
  } as typeof http.request;
  syncBuiltinESMExports();
}

/** Without what differs from call to call. */
function nameOfCall(path: string): string {
  const same = path
    .replace(/\?.*$/, '')
    .replace(/op_[0-9a-f]+/, 'op')
    .replace(/\/\d+(?=[./]|$)/, '/n');
  return `call of ${same}`;
}
