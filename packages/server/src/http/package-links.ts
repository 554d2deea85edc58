import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { api } from '@habeas/contract';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import { HabeasError } from '../foundation/index.ts';
import { languageOf, preferredLanguage } from '../notify/index.ts';
import type { Application } from './application.ts';
import { beginDownload } from './byte-range.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { PACKAGE_COOKIE as COOKIE, packageCookie } from './package-cookie.ts';
import { packagePage } from './package-page.ts';
import { requestIdParams } from './params.ts';
import { presentedKey } from './presented-key.ts';

const zipSchema = z.custom<Readable>().meta({ type: 'string', contentMediaType: 'application/zip' });
const CONTENT = { 'application/zip': { schema: zipSchema } };

/**
 * Links to packages: made by the organization, opened by the person with the token that the link carries behind `#` and a fresh
 * code. Looking at the page, or fetching it ahead, uses up nothing.
 */
export function packageLinkRoutes(
  app: HttpServer,
  {
    packageLinks,
    packageTexts,
    publicUrl,
    portal,
  }: Pick<Application, 'packageLinks' | 'packageTexts' | 'publicUrl' | 'portal'>,
): void {
  app.post('/api/v1/requests/:id([a-z0-9_]+)/package::link', {
    schema: {
      ...operation({
        id: 'makePackageLink',
        tag: 'Requests',
        summary: 'Make a link by which the person fetches the package',
        description: 'The link is shown once. It opens with a code that goes to the address of the request.',
      }),
      params: requestIdParams,
      body: api.makePackageLinkSchema,
      response: {
        201: api.packageLinkSchema.describe('The link'),
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT', 'KEY_DESTROYED']),
      },
    },
    handler: async (request, reply) => {
      const made = await packageLinks.create(callerOf(request), request.params.id, request.body);
      const { id, url, downloads } = made;
      reply.header('cache-control', 'no-store').code(201);
      return { id, url, downloads, expires_at: made.expiresAt.toISOString() };
    },
  });

  app.post('/api/v1/requests/:id([a-z0-9_]+)/package::revoke-links', {
    schema: {
      ...operation({ id: 'revokePackageLinks', tag: 'Requests', summary: 'Void every link to a package' }),
      params: requestIdParams,
      response: {
        200: api.revokedLinksSchema.describe('How many there were'),
        ...problems(['NOT_FOUND']),
      },
    },
    handler: async (request) => ({
      revoked: await packageLinks.revoke(callerOf(request), request.params.id),
    }),
  });

  app.get('/package', {
    config: { open: true },
    schema: { hide: true, querystring: z.object({ lang: z.string().max(35).optional() }) },
    handler: async (request, reply) => {
      const { lang } = request.query;
      const language =
        (lang === undefined ? undefined : languageOf(lang)) ??
        preferredLanguage(request.headers['accept-language']) ??
        packageTexts.language;
      const nonce = randomBytes(16).toString('base64');
      return reply
        .header(
          'content-security-policy',
          `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
        )
        .header('cache-control', 'no-store')
        .header('content-language', language)
        .header('vary', 'accept-language')
        .type('text/html; charset=utf-8')
        .send(
          packagePage({ nonce, language, words: packageTexts.words[language], portal: portal !== undefined }),
        );
    },
  });

  app.post('/api/v1/package-links::code', {
    config: { open: true },
    schema: {
      ...operation({
        id: 'sendPackageCode',
        tag: 'People',
        summary: 'Send a fresh code to the address of the request',
        open: true,
      }),
      body: api.askPackageCodeSchema,
      response: {
        202: api.sentCodeSchema.describe('The mail server took it'),
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'SYSTEM_UNREACHABLE', 'SYSTEM_REFUSED'], { open: true }),
      },
    },
    handler: async (request, reply) => {
      const { token, language } = request.body;
      const liked = language ?? preferredLanguage(request.headers['accept-language']);
      return reply.code(202).send(await packageLinks.sendCode(token, liked));
    },
  });

  app.post('/api/v1/package-links::open', {
    config: { open: true },
    schema: {
      ...operation({
        id: 'openPackageLink',
        tag: 'People',
        summary: 'Open a link with its token and a code',
        description:
          'The download is allowed for a day, by the cookie that is set or by the secret as a Bearer token.',
        open: true,
      }),
      body: api.openPackageLinkSchema,
      response: {
        200: api.openedLinkSchema.describe('What can be downloaded now'),
        ...problems(['BAD_INPUT', 'CODE_INVALID', 'NOT_FOUND', 'KEY_DESTROYED'], { open: true }),
      },
    },
    handler: async (request, reply) => {
      const grant = await packageLinks.open(request.body.token, request.body.code);
      return packageCookie(reply, grant, publicUrl).header('cache-control', 'no-store').send({
        link_id: grant.linkId,
        secret: grant.secret,
        bytes: grant.bytes,
        sha256: grant.sha256,
        expires_at: grant.expiresAt.toISOString(),
        downloads_left: grant.downloadsLeft,
      });
    },
  });

  app.get('/api/v1/package-downloads/:id', {
    config: { open: true },
    schema: {
      ...operation({
        id: 'downloadByLink',
        tag: 'People',
        summary: 'Download the package of an opened link',
        description: 'Goes on with `Range`; a download counts once until it has arrived.',
        open: true,
      }),
      params: requestIdParams,
      response: {
        200: { description: 'The zip', content: CONTENT },
        206: { description: 'The bytes that were asked for', content: CONTENT },
        ...problems(
          ['NOT_FOUND', 'KEY_DESTROYED', 'RANGE_INVALID', 'STORAGE_REFUSED', 'STORAGE_UNREACHABLE'],
          {
            open: true,
          },
        ),
      },
    },
    handler: async (request, reply) => {
      const secret = secretOf(request);
      const found = await packageLinks.package(secret);
      const range = beginDownload(request, reply, {
        bytes: found.bytes,
        tag: found.sha256,
        name: `${found.id}.zip`,
      });
      const gone = new AbortController();
      const bytes = await found.read(range, gone.signal);
      // Only now: a storage that cannot be reached costs nobody a download.
      await packageLinks.begin(secret, range);
      reply.raw.once('close', () => gone.abort());
      reply.raw.once('finish', () => {
        if (range.end < found.bytes) return;
        packageLinks
          .arrived(secret)
          .catch((error: unknown) =>
            request.log.warn({ err: error }, 'a download that arrived was not noted'),
          );
      });
      return reply.type('application/zip').send(Readable.from(bytes, { objectMode: false }));
    },
  });
}

/** From the cookie of the browser, or as a Bearer token from a program. */
function secretOf(request: FastifyRequest): string {
  const cookie = new RegExp(`(?:^|; *)${COOKIE}=([A-Za-z0-9_-]{43})(?:;|$)`).exec(
    request.headers.cookie ?? '',
  );
  const secret = cookie?.[1] ?? presentedKey(request.headers.authorization);
  if (secret !== undefined) return secret;
  throw new HabeasError(
    'NOT_FOUND',
    'Open the link with its code first; then the download is allowed for a day.',
  );
}
