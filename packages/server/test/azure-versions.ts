import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { sharedKeyAuthorization } from '../src/connectors/objects/azure/shared-key.ts';
import { AZURITE_ACCOUNT, type AzuriteServer } from './azurite-server.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What an account that keeps versions knows of a blob: older versions are snapshots of the server behind. */
interface Blob {
  /** Undefined: it was deleted, and only older versions are left. */
  current: string | undefined;
  readonly older: Map<string, string>;
}

/**
 * Keeps versions over a server that only keeps snapshots, as an account of Azure does where they are enabled (Blob versioning): each write and
 * each deletion makes an older version of what was there; only `versionid` deletes one. It signs what it hands on itself.
 * @param tells Headers beside those of the server behind, of answers to `HEAD`. (Default: none)
 */
export async function startVersions(
  azurite: AzuriteServer,
  tells: (asked: Asked) => Readonly<Record<string, string>> = () => ({}),
): Promise<AzuriteServer> {
  const blobs = new Map<string, Blob>();
  let count = 0;
  const newId = () => {
    count += 1;
    return new Date().toISOString().replace('Z', `${String(count).padStart(4, '0')}Z`);
  };
  const ask = (asked: Asked) => handOn(azurite.url, asked);
  const snapshot = async ({ path }: Asked): Promise<string> => {
    const empty = { headers: {}, body: Buffer.alloc(0) };
    const { headers } = await ask({ method: 'PUT', path, query: { comp: 'snapshot' }, ...empty });
    return String(headers['x-ms-snapshot']);
  };
  const remove = (path: string, query: Asked['query']) =>
    ask({ method: 'DELETE', path, query, headers: {}, body: Buffer.alloc(0) });

  const write = async (asked: Asked): Promise<Answer> => {
    const blob = blobs.get(asked.path) ?? { current: undefined, older: new Map<string, string>() };
    const before = blob.current === undefined ? undefined : await snapshot(asked);
    const answer = await ask(asked);
    if (answer.status >= 300) {
      if (before !== undefined) await remove(asked.path, { snapshot: before });
      return answer;
    }
    if (blob.current !== undefined && before !== undefined) blob.older.set(blob.current, before);
    blob.current = newId();
    blobs.set(asked.path, blob);
    return { ...answer, headers: { ...answer.headers, 'x-ms-version-id': blob.current } };
  };
  const removeLatest = async (asked: Asked): Promise<Answer> => {
    const blob = blobs.get(asked.path);
    if (blob?.current === undefined) return refusal(404, 'BlobNotFound');
    blob.older.set(blob.current, await snapshot(asked));
    blob.current = undefined;
    return { status: 202, headers: {}, body: Buffer.alloc(0) };
  };
  const ofVersion = async (asked: Asked, { versionid = '', ...query }: Asked['query']): Promise<Answer> => {
    const blob = blobs.get(asked.path);
    if (blob?.current === versionid)
      return asked.method === 'DELETE'
        ? refusal(409, 'OperationNotAllowedOnRootBlob')
        : ask({ ...asked, query });
    const time = blob?.older.get(versionid);
    if (blob === undefined || time === undefined) return refusal(404, 'BlobNotFound');
    const answer = await ask({ ...asked, query: { ...query, snapshot: time } });
    if (asked.method === 'DELETE' && answer.status < 300) {
      blob.older.delete(versionid);
      if (blob.current === undefined && blob.older.size === 0) await remove(asked.path, {});
    }
    return answer;
  };
  const list = async (asked: Asked): Promise<Answer> => {
    const { include = '', ...query } = asked.query;
    const known = include.split(',').filter((one) => one !== 'versions' && one !== '');
    const answer = await ask({
      ...asked,
      query: { ...query, ...(known.length === 0 ? {} : { include: known.join(',') }) },
    });
    const body = answer.body.toString().replaceAll(/<Blob>.*?<\/Blob>/gs, (element) => {
      const name = /<Name>(.*?)<\/Name>/s.exec(element)?.[1] ?? '';
      const escaped = name.replaceAll('&amp;', '&').split('/').map(encodeURIComponent).join('/');
      const blob = blobs.get(`${asked.path}/${escaped}`);
      if (blob === undefined) return element;
      const time = /<Snapshot>(.*?)<\/Snapshot>/.exec(element)?.[1];
      if (time === undefined)
        return blob.current === undefined
          ? ''
          : element.replace(
              '</Name>',
              `</Name><VersionId>${blob.current}</VersionId><IsCurrentVersion>true</IsCurrentVersion>`,
            );
      const id = [...blob.older].find(([, older]) => older === time)?.[0];
      return id === undefined
        ? element
        : element.replace(/<Snapshot>.*<\/Snapshot>/, `<VersionId>${id}</VersionId>`);
    });
    return { ...answer, body: Buffer.from(body) };
  };
  const answerTo = (asked: Asked): Promise<Answer> | Answer => {
    const { method, path, query } = asked;
    const isBlob = path.split('/').length > 3;
    if (query.comp === 'list') return list(asked);
    if (!isBlob) return ask(asked);
    if (query.versionid !== undefined) return ofVersion(asked, query);
    if (method === 'PUT' && (query.comp === undefined || query.comp === 'blocklist')) return write(asked);
    if (query.snapshot !== undefined || method === 'PUT') return ask(asked);
    if (method === 'DELETE') return removeLatest(asked);
    return blobs.get(path)?.current === undefined ? refusal(404, 'BlobNotFound') : ask(asked);
  };

  const server = createServer((incoming, outgoing) => {
    askedBy(incoming)
      .then(async (asked) => {
        const answer = await answerTo(asked);
        return asked.method === 'HEAD'
          ? { ...answer, headers: { ...answer.headers, ...tells(asked) } }
          : answer;
      })
      .then(
        ({ status, headers, body }) => {
          const { 'transfer-encoding': _, ...kept } = headers;
          const length = incoming.method === 'HEAD' ? {} : { 'content-length': body.length };
          outgoing.writeHead(status, { ...kept, ...length }).end(body);
        },
        () => outgoing.destroy(),
      );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('There is no port.');
  const end = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${address.port}`, kill: end, [Symbol.asyncDispose]: end };
}

function refusal(status: number, code: string): Answer {
  return { status, headers: { 'x-ms-error-code': code }, body: Buffer.alloc(0) };
}

async function askedBy(incoming: IncomingMessage): Promise<Asked> {
  const url = new URL(incoming.url ?? '/', 'http://any');
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: incoming.headers,
    body: await buffer(incoming),
  };
}

async function handOn(target: string, { method, path, query, headers, body }: Asked): Promise<Answer> {
  const { authorization: _, host: __, connection: ___, ...kept } = headers;
  const sent = Object.fromEntries(
    Object.entries({
      ...kept,
      'x-ms-date': new Date().toUTCString(),
      'x-ms-version': headers['x-ms-version'] ?? '2023-11-03',
      ...(method === 'PUT' ? { 'content-length': String(body.length) } : {}),
    }).map(([name, value]) => [name, String(value)]),
  );
  const authorization = sharedKeyAuthorization(AZURITE_ACCOUNT, { method, path, query, headers: sent });
  const outgoing = request(`${target}${path}?${new URLSearchParams(query)}`, {
    method,
    headers: { ...sent, authorization },
  });
  outgoing.end(method === 'PUT' ? body : undefined);
  const [reply]: [IncomingMessage] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: reply.statusCode ?? 500, headers: reply.headers, body: await buffer(reply) };
}
