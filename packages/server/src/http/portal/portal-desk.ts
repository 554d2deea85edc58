import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HabeasError } from '../../foundation/index.ts';
import { type Language, languageOf, preferredLanguage } from '../../notify/index.ts';
import type { Application } from '../application.ts';
import { verificationOf } from '../ask.ts';
import { clientOf } from '../client-of.ts';
import { type Say, type Shell, sayIn, shell } from './layout.ts';
import { PORTAL_PATH, type Portal } from './portal.ts';
import { portalCookie } from './portal-cookie.ts';
import { requestPage } from './request-page.ts';

export type PortalParts = Pick<
  Application,
  'requests' | 'packageLinks' | 'packageTexts' | 'publicUrl' | 'organizationId'
> & { readonly portal: Portal };

/** A page to be shown. */
type Page = Pick<Shell, 'title' | 'content' | 'told'> & { readonly status?: number };

/** What was refused. */
type Refused = Pick<Shell, 'told'> & { readonly status: number };

/** How the pages for people are answered: in a language, with cookies, under rules for the browser. */
export type PortalDesk = ReturnType<typeof createPortalDesk>;

export function createPortalDesk(parts: PortalParts) {
  const { portal, requests, publicUrl } = parts;
  const framed = portal.frames.length > 0;
  const requestCookie = portalCookie('habeas-request', { publicUrl, framed });
  const linkCookie = portalCookie('habeas-link', { publicUrl, framed });
  // Browsers hold a form's way on to this rule, too.
  const signIn = portal.signIn === undefined ? '' : ` ${portal.signIn}`;
  const sources = framed ? portal.frames.join(' ') : "'none'";

  const languageFor = (request: FastifyRequest): Language =>
    languageOf(new URL(request.url, publicUrl).searchParams.get('lang') ?? '') ??
    languageOf(request.headers.cookie?.match(/(?:^|; )habeas-lang=([a-z]{2})(?:;|$)/)?.[1] ?? '') ??
    preferredLanguage(request.headers['accept-language']) ??
    portal.texts.language;

  const say = (request: FastifyRequest): Say => sayIn(portal, languageFor(request));

  function show(request: FastifyRequest, reply: FastifyReply, page: Page): FastifyReply {
    const nonce = randomBytes(16).toString('base64');
    const words = say(request);
    const chosen = new URL(request.url, publicUrl).searchParams.get('lang');
    if (chosen === words.language)
      reply.header(
        'set-cookie',
        `habeas-lang=${chosen}; Path=${PORTAL_PATH}; Max-Age=31536000; SameSite=Lax`,
      );
    return framable(reply)
      .code(page.status ?? 200)
      .header(
        'content-security-policy',
        `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; img-src 'self' data:; base-uri 'none'; form-action 'self'${signIn}; frame-ancestors ${sources}`,
      )
      .header('cache-control', 'no-store')
      .header('content-language', words.language)
      .header('vary', 'accept-language, cookie')
      .header('content-type', 'text/html; charset=utf-8')
      .send(shell({ ...page, portal, say: words, nonce }));
  }

  const framable = (reply: FastifyReply): FastifyReply => {
    if (framed) reply.removeHeader('x-frame-options');
    // With `no-referrer` a browser would say of a form that it comes from nowhere, and it would be refused.
    return reply.header('referrer-policy', 'same-origin');
  };
  const to = (reply: FastifyReply, path: string) =>
    framable(reply).code(303).header('cache-control', 'no-store').header('location', path).send();

  const callOf = (request: FastifyRequest) => {
    const token = requestCookie.read(request.headers.cookie);
    if (token === undefined) throw new HabeasError('NOT_FOUND', 'There is no request in this browser.');
    return { token, client: clientOf(request) };
  };

  /** What was refused, in words of the page; what nobody expected is an error like any other. */
  const refusal = (request: FastifyRequest, error: unknown): Refused => {
    if (!(error instanceof HabeasError) || error.code === 'INTERNAL') throw error;
    const words = say(request);
    return { status: error.status, told: { words: wordsFor(error, words), isAlert: true } };
  };

  async function showRequest(
    request: FastifyRequest,
    reply: FastifyReply,
    more: Pick<Page, 'told' | 'status'> = {},
  ): Promise<FastifyReply> {
    const words = say(request);
    const asked = await verificationOf(requests).resume(callOf(request));
    return show(request, reply, { title: 'status', content: requestPage(portal, words, asked), ...more });
  }

  return { ...parts, requestCookie, linkCookie, languageFor, say, show, showRequest, to, callOf, refusal };
}

function wordsFor({ code }: HabeasError, say: Say): string {
  switch (code) {
    case 'PROOF_REFUSED':
    case 'CODE_INVALID':
      return say.proof('wrong');
    case 'TOO_MANY_REQUESTS':
      return say.proof('often');
    case 'NOT_FOUND':
    case 'KEY_DESTROYED':
      return say('unknown');
    case 'BAD_INPUT':
    case 'PAYLOAD_TOO_LARGE':
      return say('mistake');
    default:
      return say('failed');
  }
}
