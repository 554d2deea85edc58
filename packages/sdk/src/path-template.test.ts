import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePathTemplate } from './path-template.ts';

const match = (template: string, path: string) => parsePathTemplate(template).match(path);

describe('a path template', () => {
  it('matches what google/api/http.proto says', () => {
    expect(match('/v1/personal-data:get', '/v1/personal-data:get')).toEqual({});
    expect(match('/v1/personal-data:get', '/v1/personal-data:delete')).toBeUndefined();
    expect(match('/v1/personal-data:get', '/v1/personal-data:get/')).toBeUndefined();
    expect(match('/v1/a.b', '/v1/aXb')).toBeUndefined();
    expect(match('/v1/{name}', '/v1/a')).toEqual({ name: 'a' });
    expect(match('/v1/{name}', '/v1/')).toBeUndefined();
    expect(match('/v1/{name}', '/v1/a/b')).toBeUndefined();
    expect(match('/v1/{name}:undo', '/v1/a:b:undo')).toEqual({ name: 'a:b' });
    expect(match('/v1/{name=shelves/*}', '/v1/shelves/7')).toEqual({ name: 'shelves/7' });
    expect(match('/v1/{name=shelves/*}', '/v1/books/7')).toBeUndefined();
    expect(match('/v1/{a.b}/x/{c=**}', '/v1/1/x/2/3')).toEqual({ 'a.b': '1', c: '2/3' });
    expect(match('/v1/*/x', '/v1/any/x')).toEqual({});
    expect(match('/v1/**', '/v1/any/x')).toEqual({});
  });

  it('decodes escapes, and keeps an escaped slash where several segments are taken', () => {
    expect(match('/v1/{name}', '/v1/a%2Fb%20c')).toEqual({ name: 'a/b c' });
    expect(match('/v1/{name=**}', '/v1/a%2Fb%20c/d')).toEqual({ name: 'a%2Fb c/d' });
    expect(match('/v1/{name}', '/v1/%E0%A4%A')).toBeUndefined();
  });

  it('gives any name back that was escaped into it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
        expect(match('/v1/operations/{name}', `/v1/operations/${encodeURIComponent(name)}`)).toEqual({
          name,
        });
      }),
    );
  });

  it('refuses what is none', () => {
    for (const template of ['/v1/{', '/v1/{}', '/v1/}', '/v1/{a={b}}']) {
      expect(() => parsePathTemplate(template)).toThrow(TypeError);
    }
  });
});
