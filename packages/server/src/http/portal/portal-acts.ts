import { api } from '@habeas/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HabeasError } from '../../foundation/index.ts';
import { verificationOf } from '../ask.ts';
import { PORTAL_PATH } from './portal.ts';
import type { PortalDesk } from './portal-desk.ts';
import { canWithdraw, hasResult } from './request-page.ts';

/** The person who proved who they are, in the audit log. */
const PERSON = 'subject';
/** Fetches a package: a link that is made on the spot needs to be good for one device and one day. */
const ON_THE_SPOT = { days: 1, downloads: 3 };

type Act = (request: FastifyRequest, reply: FastifyReply, form: URLSearchParams) => Promise<FastifyReply>;

/** What the forms of a request's page do, by the name that each sends. Throw what the routes for people throw. */
export function portalActs(desk: PortalDesk): Readonly<Record<string, Act>> {
  const { requests, packageLinks, publicUrl, organizationId, requestCookie, linkCookie } = desk;
  const { languageFor, to, callOf } = desk;
  return {
    async prove(request, reply, form) {
      // People copy codes with spaces in them.
      const code = (form.get('code') ?? '').replaceAll(/\D/g, '');
      const proof = api.proveSchema.omit({ token: true }).safeParse({ contact: form.get('contact'), code });
      if (!proof.success) throw new HabeasError('PROOF_REFUSED', 'A code has eight digits.');
      await verificationOf(requests).prove(callOf(request), proof.data);
      return to(reply, `${PORTAL_PATH}/request`);
    },
    async 'send-code'(request, reply, form) {
      await verificationOf(requests).sendCode(callOf(request), form.get('contact') ?? '');
      return to(reply, `${PORTAL_PATH}/request?sent`);
    },
    async answer(request, reply, form) {
      const named = [...form].filter(([name]) => name.startsWith('answer.'));
      const answers = Object.fromEntries(named.map(([name, value]) => [name.slice('answer.'.length), value]));
      const parsed = api.answerQuestionsSchema.omit({ token: true }).safeParse({ answers });
      if (!parsed.success) throw new HabeasError('BAD_INPUT', 'answers: what was typed cannot be taken.');
      await verificationOf(requests).answer(callOf(request), parsed.data.answers);
      return to(reply, `${PORTAL_PATH}/request`);
    },
    async 'sign-in'(request, reply) {
      const { url, browserSecret } = await verificationOf(requests).startSignIn(callOf(request));
      const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
      reply.header(
        'set-cookie',
        `habeas-sign-in=${browserSecret}; Path=/api/v1/public/sign-in; Max-Age=600; HttpOnly; SameSite=Lax${secure}`,
      );
      return to(reply, url);
    },
    async withdraw(request, reply) {
      const asked = await verificationOf(requests).resume(callOf(request));
      if (!canWithdraw(asked)) throw new HabeasError('CONFLICT', 'The request cannot be withdrawn.');
      const caller = { organizationId, actor: PERSON };
      await requests.command(caller, asked.request_id, { type: 'cancel', reason: 'withdrawn by the person' });
      return to(reply, `${PORTAL_PATH}/request`);
    },
    async download(request, reply) {
      const asked = await verificationOf(requests).resume(callOf(request));
      if (!hasResult(asked)) throw new HabeasError('NOT_FOUND', 'There is nothing to fetch.');
      const caller = { organizationId, actor: PERSON };
      const { url } = await packageLinks.create(caller, asked.request_id, ON_THE_SPOT);
      const token = url.slice(url.indexOf('#') + 1);
      await packageLinks.sendCode(token, languageFor(request));
      linkCookie.set(reply, token);
      return to(reply, `${PORTAL_PATH}/download?sent`);
    },
    async forget(_request, reply) {
      requestCookie.clear(reply);
      linkCookie.clear(reply);
      return to(reply, PORTAL_PATH);
    },
  };
}
