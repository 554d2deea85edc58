import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyReply } from 'fastify';
import * as z from 'zod';
import { HabeasError } from '../foundation/index.ts';
import { acceptedEncoding } from './accepted-encoding.ts';
import type { HttpServer } from './operation.ts';

/** Files whose names hold a hash of what is in them never change. */
const FOR_EVER = 'public, max-age=31536000, immutable';

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

const headers = z.object({ 'accept-encoding': z.string().max(1_000).optional() });
const OPEN = { open: true, uncounted: true } as const;

/**
 * `/app`: the dashboard as `@habeas/web` builds it. Its files say nothing about anybody; what they show, the browser asks the API for.
 * Every address below `/app` that is no file is the same page, which reads the address itself.
 */
export function dashboardRoutes(app: HttpServer, folder: string = builtDashboard()): void {
  let files: ReadonlyMap<string, string> | undefined;
  const page = async (_request: unknown, reply: FastifyReply) => {
    const nonce = randomBytes(16).toString('base64');
    return reply
      .header('content-security-policy', contentSecurityPolicy(nonce))
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(pageOf(folder).replaceAll('NONCE_OF_THIS_ANSWER', nonce));
  };

  app.get('/', {
    config: OPEN,
    schema: { hide: true },
    handler: ({ url }, reply) => reply.redirect(`/app${url.slice(1)}`),
  });
  app.get('/app', { config: OPEN, schema: { hide: true }, handler: page });
  app.get('/app/*', { config: OPEN, schema: { hide: true }, handler: page });

  app.get('/app/assets/:name', {
    config: OPEN,
    schema: { hide: true, headers, params: z.object({ name: z.string() }) },
    handler: async (request, reply) => {
      files ??= filesOf(join(folder, 'assets'));
      const { name } = request.params;
      const encoding = acceptedEncoding(request.headers['accept-encoding'] ?? '');
      const ending = encoding === 'br' ? '.br' : encoding === 'gzip' ? '.gz' : '';
      const path = files.get(name + ending);
      const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
      if (path === undefined || type === undefined)
        throw new HabeasError(
          'NOT_FOUND',
          'The dashboard has no such file. It may be from an earlier version.',
        );
      if (ending !== '') reply.header('content-encoding', encoding);
      reply.headers({ 'cache-control': FOR_EVER, vary: 'accept-encoding' });
      return reply.type(type).send(readFileSync(path));
    },
  });
}

/** Scripts and styles come from this server alone. The nonce is for the variables of the colours, which the page writes itself. */
function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function builtDashboard(): string {
  return fileURLToPath(new URL('./dist/', import.meta.resolve('@habeas/web/package.json')));
}

function pageOf(folder: string): string {
  try {
    return readFileSync(join(folder, 'index.html'), 'utf8');
  } catch (error) {
    if (!isMissing(error)) throw error;
    return NOT_BUILT;
  }
}

/** Only what is listed here is served, so that no name leads out of the folder. */
function filesOf(folder: string): ReadonlyMap<string, string> {
  return new Map(readdirSync(folder).map((name) => [name, join(folder, name)]));
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT';

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Habeas</title>
<h1>The dashboard is not built</h1>
<p>Run <code>npm run -w packages/web build</code> in the folder of Habeas, then load this page again. The API works without: <a href="/reference">its reference</a>.</p>
</html>
`;
