import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFileRegistry, type DescService, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createRouterTransport } from '@connectrpc/connect';
import { describe, expect, it } from 'vitest';
import { buf, contractFolder } from '../../contract/scripts/buf.mjs';
import { createTranscoder, type HttpCall } from './transcoder.ts';

/** The service of test/library.proto, which uses more of google.api.http than the contract does. */
function libraryService(): DescService {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-library-'));
  try {
    cpSync(join(contractFolder, 'proto', 'google'), join(folder, 'google'), { recursive: true });
    cpSync(fileURLToPath(new URL('../test/library.proto', import.meta.url)), join(folder, 'library.proto'));
    const image = join(folder, 'image.binpb');
    buf('build', folder, '--as-file-descriptor-set', '-o', image);
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(image)));
    const service = registry.getService('test.library.v1.Library');
    if (service === undefined) throw new Error('test/library.proto has no Library.');
    return service;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const library = libraryService();
/** Answers with what it was asked. */
const transport = createRouterTransport(({ service }) => {
  service(library, { find: (found: object) => ({ found }) } as never);
});
const transcoder = createTranscoder([library], transport);

async function send(method: string, url: string, body?: unknown): Promise<unknown> {
  const found = transcoder.find(method, url);
  if (typeof found !== 'function') return found;
  const call: HttpCall = {
    method,
    url,
    headers: new Headers(),
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    timeout: undefined,
    signal: new AbortController().signal,
  };
  return found(call).then(
    (result) => ('json' in result ? result.json : result),
    (error) => error.message,
  );
}

describe('the transcoder', () => {
  it('takes fields from the path, nested ones too', async () => {
    expect(await send('GET', '/v1/shelves/7/books/Les%20Mis%C3%A9rables')).toEqual({
      found: { shelf: { name: 'shelves/7' }, book: 'Les Misérables' },
    });
    expect(await send('GET', '/v1/books/a')).toEqual({ found: { book: 'a' } });
  });

  it('takes the others from the query, of every type, under both of their names', async () => {
    const query =
      'deep=true&page_numbers=1&page_numbers=9007199254740993&kind=KIND_NOVEL&score=1.5&since=2026-01-01T00:00:00Z&mark=AQI%3D&shelf.number=3&unknown=1';
    const found = {
      book: 'a',
      deep: true,
      pageNumbers: ['1', '9007199254740993'],
      kind: 'KIND_NOVEL',
      score: 1.5,
      since: '2026-01-01T00:00:00Z',
      mark: 'AQI=',
      shelf: { number: 3 },
    };
    expect(await send('GET', `/v1/books/a?${query}`)).toEqual({ found });
    expect(await send('GET', '/v1/books/a?pageNumbers=2&kind=1')).toEqual({
      found: { book: 'a', pageNumbers: ['2'], kind: 'KIND_NOVEL' },
    });
  });

  it('takes one field from the body and the rest from the query', async () => {
    expect(await send('PUT', '/v1/books/a?deep=true', { name: 'b', number: 2 })).toEqual({
      found: { book: 'a', deep: true, shelf: { name: 'b', number: 2 } },
    });
  });

  it('takes everything from the body but for the path, and answers with one field', async () => {
    expect(await send('PATCH', '/v1/books/a:found', { book: 'another', deep: true })).toEqual({
      book: 'a',
      deep: true,
    });
    expect(await send('PATCH', '/v1/books/a:found')).toEqual({ book: 'a' });
  });

  it('knows paths by their method, and what is not there', async () => {
    expect(await send('DELETE', '/v1/books/a')).toEqual({ allowed: ['GET', 'PUT'] });
    expect(await send('GET', '/v2/books/a')).toBeUndefined();
    expect(await send('POST', '/test.library.v1.Library/Unbound')).toBeUndefined();
  });

  it('refuses what does not fit, without repeating it', async () => {
    const wrong = '[invalid_argument] the request does not fit test.library.v1.FindRequest';
    expect(await send('GET', '/v1/books/a?deep=secret')).toBe(wrong);
    expect(await send('PATCH', '/v1/books/a:found', { pageNumbers: 'secret' })).toBe(wrong);
    expect(await send('PATCH', '/v1/books/a:found', ['secret'])).toBe(
      '[invalid_argument] the body is not a JSON object',
    );
    expect(await send('PATCH', '/v1/books/a:found', '{"secret')).toBe(
      '[invalid_argument] the body is not JSON',
    );
  });
});
