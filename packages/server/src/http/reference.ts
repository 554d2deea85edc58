import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { HabeasError } from '../foundation/index.ts';
import type { HttpServer } from './operation.ts';

const SCRIPT_PATH = '/reference/scalar.js';

/** Settings of the reference page that keep it from calling anybody but this server. */
const SETTINGS = {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: 'never',
  authentication: { preferredSecurityScheme: 'key' },
};

/** `/reference`: the API as a page that people read and try. Everything it loads comes from this server. */
export function referenceRoutes(app: HttpServer): void {
  app.get('/reference', {
    schema: { hide: true },
    handler: async (_request, reply) => {
      const nonce = randomBytes(16).toString('base64');
      return reply
        .header('content-security-policy', contentSecurityPolicy(nonce))
        .header('cache-control', 'no-store')
        .type('text/html; charset=utf-8')
        .send(page(nonce));
    },
  });

  let script: Promise<Buffer> | undefined;
  app.get(SCRIPT_PATH, {
    schema: { hide: true },
    handler: async (_request, reply) => {
      script ??= loadScript();
      return reply
        .type('text/javascript; charset=utf-8')
        .header('content-encoding', 'gzip')
        .header('cache-control', 'private, max-age=86400')
        .send(await script);
    },
  });
}

/** The page's styles are partly attributes, which no nonce can allow; scripts need one. */
function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function page(nonce: string): string {
  const settings = JSON.stringify(SETTINGS).replaceAll('"', '&quot;');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta property="csp-nonce" content="${nonce}">
<link rel="icon" href="data:,">
<title>Habeas API</title>
</head>
<body>
<noscript>This page needs JavaScript. The same document for programs: <a href="/openapi.json">/openapi.json</a></noscript>
<div id="api-reference" data-configuration="${settings}"></div>
<script nonce="${nonce}" src="${SCRIPT_PATH}"></script>
</body>
</html>
`;
}

/**
 * The script of the page, compressed. The package holds it as 4 MB of text inside its plugin, so it is loaded when
 * the first browser asks and the plugin, which nothing else of is used, is left to the garbage collector.
 */
async function loadScript(): Promise<Buffer> {
  const { default: plugin } = await import('@scalar/fastify-api-reference');
  const carrier = Fastify();
  try {
    await carrier.register(plugin, { configuration: { url: '/openapi.json' } });
    const answer = await carrier.inject('/reference/js/scalar.js');
    if (answer.statusCode !== 200)
      throw new HabeasError('INTERNAL', 'The script of the reference page is missing.');
    return gzipSync(answer.rawPayload);
  } finally {
    await carrier.close();
  }
}
