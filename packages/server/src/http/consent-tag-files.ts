import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import { acceptedEncoding } from './accepted-encoding.ts';
import type { HttpServer } from './operation.ts';

/** The consent tag as `@habeas/consent` builds it: with banner and preference centre, and without. */
const FILES = ['tag.js', 'headless.js'] as const;

/** A page that has it asks again after an hour; until the answer comes, and when none does, the old one is good. */
const CACHE = 'public, max-age=3600, stale-while-revalidate=86400, stale-if-error=604800';

const headers = z.object({
  'accept-encoding': z.string().max(1_000).optional(),
  'if-none-match': z.string().max(1_000).optional(),
});

interface Representation {
  readonly body: Buffer;
  readonly etag: string;
}

/** `/consent/v1/tag.js` and `/consent/v1/headless.js`: for pages of every site, also with `integrity` and `crossorigin`. */
export function consentTagFileRoutes(app: HttpServer): void {
  for (const file of FILES) {
    let made: ReadonlyMap<string, Representation> | undefined;
    app.get(`/consent/v1/${file}`, {
      // The people of a whole company may share an address.
      config: { open: true, uncounted: true },
      schema: { hide: true, headers },
      handler: async (request, reply) => {
        made ??= representationsOf(file);
        const encoding = acceptedEncoding(request.headers['accept-encoding'] ?? '');
        const { body, etag } = made.get(encoding) ?? { body: '', etag: '' };
        reply.headers({
          'cache-control': CACHE,
          etag,
          vary: 'accept-encoding',
          'access-control-allow-origin': '*',
          'cross-origin-resource-policy': 'cross-origin',
        });
        if (tagsOf(request.headers['if-none-match'] ?? '').includes(etag)) return reply.code(304).send();
        if (encoding !== 'identity') reply.header('content-encoding', encoding);
        return reply.type('text/javascript; charset=utf-8').send(body);
      },
    });
  }
}

function representationsOf(file: (typeof FILES)[number]): ReadonlyMap<string, Representation> {
  const text = readFileSync(new URL(import.meta.resolve(`@habeas/consent/${file}`)));
  const bodies = { identity: text, gzip: gzipSync(text, { level: 9 }), br: brotliCompressSync(text) };
  // Each representation has a tag of its own (RFC 9110 §8.8.3.3).
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 16);
  return new Map(
    Object.entries(bodies).map(([encoding, body]) => [encoding, { body, etag: `"${hash}-${encoding}"` }]),
  );
}

function tagsOf(ifNoneMatch: string): readonly string[] {
  return ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
}
