import { api } from '@habeas/contract';
import type { FastifyRequest } from 'fastify';
import { HabeasError } from '../../foundation/index.ts';
import { escapeHtml } from '../../notify/index.ts';
import type { Application } from '../application.ts';
import { verificationOf } from '../ask.ts';
import { clientOf } from '../client-of.ts';
import { handleError } from '../error-handler.ts';
import type { HttpServer } from '../operation.ts';
import { packageCookie } from '../package-cookie.ts';
import { askOf, askPage, resumeForm, type Typed } from './ask-page.ts';
import { type ChoicesParts, choicesRoutes } from './choices-routes.ts';
import { askCodePage, codePage, readyPage } from './download-page.ts';
import { formOf } from './form-of.ts';
import { PORTAL_PATH } from './portal.ts';
import { portalActs } from './portal-acts.ts';
import { tokenOfLink } from './portal-cookie.ts';
import { createPortalDesk, type PortalParts } from './portal-desk.ts';
import { withdrawPage } from './request-page.ts';

const MAX_BYTES = 64 * 1024;

/**
 * `/privacy`: the pages on which people ask by themselves. Each is whole without a script: forms that answer with the next page. What
 * they do is what the routes for people below `/api/v1/public` do.
 */
export async function portalRoutes(
  app: HttpServer,
  parts: Omit<PortalParts, 'portal'> & Pick<Application, 'portal'> & ChoicesParts,
): Promise<void> {
  if (parts.portal === undefined) return;
  const portal = parts.portal;
  const desk = createPortalDesk({ ...parts, portal });
  const act = portalActs(desk);
  const { requests, packageLinks, packageTexts, publicUrl, requestCookie, linkCookie } = desk;
  const { languageFor, say, show, showRequest, to, refusal } = desk;
  const options = { config: { open: true }, schema: { hide: true } } as const;

  await app.register(async (scope: HttpServer) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'buffer', bodyLimit: MAX_BYTES },
      (_request, body, done) => done(null, body),
    );
    scope.setErrorHandler((error, request, reply) => {
      if (error instanceof HabeasError && error.code === 'NOT_FOUND') {
        // What is not known any more is forgotten here, and nothing else: a link that was mistyped ends no request.
        const [path] = request.url.split('?');
        if (path === `${PORTAL_PATH}/request`) requestCookie.clear(reply);
        if (path === `${PORTAL_PATH}/download`) linkCookie.clear(reply);
        return show(request, reply, {
          ...refusal(request, error),
          title: 'resume',
          content: resumeForm(say(request)),
        });
      }
      if (error instanceof HabeasError && error.code !== 'INTERNAL')
        return show(request, reply, {
          ...refusal(request, error),
          title: 'title',
          content: askPage(portal, say(request)),
        });
      return handleError(error, request, reply);
    });

    scope.get(PORTAL_PATH, options, async (request, reply) => {
      const another = new URL(request.url, publicUrl).searchParams.has('another');
      if (!another && requestCookie.read(request.headers.cookie) !== undefined)
        return to(reply, `${PORTAL_PATH}/request`);
      return show(request, reply, { title: 'title', content: askPage(portal, say(request)) });
    });

    scope.post(PORTAL_PATH, options, async (request, reply) => {
      const form = formOf(request);
      const typed = typedIn(form);
      const language = languageFor(request);
      try {
        const ask = api.askSchema.safeParse(askOf(typed, language));
        if (!ask.success || !portal.rights.includes(ask.data.right))
          throw new HabeasError('BAD_INPUT', 'What was typed cannot be taken.');
        const asked = await verificationOf(requests).ask({ ...ask.data, client: clientOf(request) });
        requestCookie.set(reply, asked.token);
        return to(reply, `${PORTAL_PATH}/request`);
      } catch (error) {
        const content = askPage(portal, say(request), typed);
        return show(request, reply, { ...refusal(request, error), title: 'title', content });
      }
    });

    scope.get(`${PORTAL_PATH}/request`, options, async (request, reply) => {
      const query = new URL(request.url, publicUrl).searchParams;
      const words = say(request);
      if (requestCookie.read(request.headers.cookie) === undefined)
        return show(request, reply, { title: 'resume', content: resumeForm(words) });
      if (query.has('withdraw'))
        return show(request, reply, { title: 'withdraw', content: withdrawPage(words) });
      const told = query.has('sent') ? { words: words.proof('sent'), isAlert: false } : undefined;
      return showRequest(request, reply, { told });
    });

    scope.post(`${PORTAL_PATH}/request`, options, async (request, reply) => {
      const form = formOf(request);
      const name = form.get('act') ?? '';
      const chosen = Object.hasOwn(act, name) ? act[name] : undefined;
      if (chosen === undefined) throw new HabeasError('BAD_INPUT', 'The form is not known.');
      try {
        return await chosen(request, reply, form);
      } catch (error) {
        const { status, told } = refusal(request, error);
        return showRequest(request, reply, {
          status,
          told: told && { ...told, words: wordsOfAct(request, name, status) ?? told.words },
        });
      }
    });

    /** Where an act was refused for a reason of its own. */
    function wordsOfAct(request: FastifyRequest, name: string, status: number): string | undefined {
      if (name === 'withdraw' && status === 409) return say(request)('withdraw_late');
      if (name === 'download' && status === 404)
        return escapeHtml(packageTexts.words[languageFor(request)].invalid);
      return undefined;
    }

    scope.post(`${PORTAL_PATH}/resume`, options, async (request, reply) => {
      const found = tokenOfLink(formOf(request).get('link') ?? '');
      if (found === undefined) throw new HabeasError('NOT_FOUND', 'This is no link of a mail.');
      if (found.isPackage) {
        linkCookie.set(reply, found.token);
        return to(reply, `${PORTAL_PATH}/download`);
      }
      await verificationOf(requests).resume({ token: found.token, client: clientOf(request) });
      requestCookie.set(reply, found.token);
      return to(reply, `${PORTAL_PATH}/request`);
    });

    scope.get(`${PORTAL_PATH}/download`, options, async (request, reply) => {
      const query = new URL(request.url, publicUrl).searchParams;
      const words = say(request);
      const page = packageTexts.words[words.language];
      if (linkCookie.read(request.headers.cookie) === undefined)
        return show(request, reply, { title: 'resume', content: resumeForm(words) });
      if (!query.has('sent')) return show(request, reply, { title: 'download', content: askCodePage(page) });
      const told = { words: page.sent.replace('{{minutes}}', '10'), isAlert: false };
      return show(request, reply, { title: 'download', told, content: codePage(words, page) });
    });

    scope.post(`${PORTAL_PATH}/download`, options, async (request, reply) => {
      const form = formOf(request);
      const words = say(request);
      const page = packageTexts.words[words.language];
      const token = linkCookie.read(request.headers.cookie);
      if (token === undefined) throw new HabeasError('NOT_FOUND', 'There is no link in this browser.');
      try {
        if (form.get('act') === 'send-code') {
          await packageLinks.sendCode(token, words.language);
          return to(reply, `${PORTAL_PATH}/download?sent`);
        }
        const code = (form.get('code') ?? '').replaceAll(/\D/g, '');
        const grant = await packageLinks.open(token, code);
        linkCookie.clear(reply);
        packageCookie(reply, grant, publicUrl);
        return show(request, reply, { title: 'download', content: readyPage(page, grant.linkId) });
      } catch (error) {
        const refused = refusal(request, error);
        if (refused.status === 404) throw error;
        return show(request, reply, { ...refused, title: 'download', content: codePage(words, page) });
      }
    });

    choicesRoutes(scope, desk, parts);

    const { logo } = portal;
    if (logo !== undefined)
      scope.get(
        `${PORTAL_PATH}/logo`,
        { config: { open: true, uncounted: true }, schema: { hide: true } },
        (_request, reply) =>
          reply
            .header('content-type', logo.type)
            .header('cache-control', 'public, max-age=3600')
            // An SVG that is opened by itself is a page, too.
            .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox")
            .header('x-content-type-options', 'nosniff')
            .send(logo.bytes),
      );
  });
}

function typedIn(form: URLSearchParams): Typed {
  const text = (name: string) => form.get(name)?.slice(0, 500);
  return {
    right: text('right'),
    email: text('email'),
    purposes: form.getAll('purpose').slice(0, 50),
    what: text('what'),
    before: text('before'),
    after: text('after'),
  };
}
