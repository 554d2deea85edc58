import { randomUUID } from 'node:crypto';
import { api } from '@habeas/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HabeasError } from '../../foundation/index.ts';
import type { Application } from '../application.ts';
import { clientOf } from '../client-of.ts';
import type { HttpServer } from '../operation.ts';
import { canRefuse, choicesAskPage, choicesCodePage, choicesIn, choicesPage } from './choices-page.ts';
import { formOf } from './form-of.ts';
import type { Shell } from './layout.ts';
import { PORTAL_PATH } from './portal.ts';
import { portalCookie } from './portal-cookie.ts';
import type { PortalDesk } from './portal-desk.ts';

export type ChoicesParts = Pick<
  Application,
  'consent' | 'consentTag' | 'contactProofs' | 'organizationId' | 'clock'
>;

/** The person who proved that an address is theirs, in the audit log. */
const PERSON = 'subject';
const PATH = `${PORTAL_PATH}/choices`;

/** `/privacy/choices`: what somebody agreed to, for whoever proves that an address is theirs; without a script, like all these pages. */
export function choicesRoutes(scope: HttpServer, desk: PortalDesk, parts: ChoicesParts): void {
  const { consent, consentTag, organizationId, clock } = parts;
  const { show, say, to, refusal, languageFor, publicUrl, portal } = desk;
  const cookie = portalCookie('habeas-choices', { publicUrl, framed: portal.frames.length > 0 });
  const options = { config: { open: true }, schema: { hide: true } } as const;

  const noticeFor = (request: FastifyRequest) =>
    consentTag.notice({ language: languageFor(request), gpc: false });
  const proofs = () => {
    const { contactProofs } = parts;
    if (contactProofs === undefined || !consent.purposes.some(canRefuse))
      throw new HabeasError('NOT_FOUND', 'There is nothing to choose here.');
    return contactProofs;
  };
  const callOf = (request: FastifyRequest) => ({
    token: cookie.read(request.headers.cookie) ?? '',
    client: clientOf(request),
  });

  /** The page for how far somebody is. */
  async function page(
    request: FastifyRequest,
    reply: FastifyReply,
    more: Pick<Shell, 'told'> & { readonly status?: number } = {},
  ): Promise<FastifyReply> {
    const words = say(request);
    const call = callOf(request);
    const contactProofs = proofs();
    if (call.token === '')
      return show(request, reply, { title: 'choices', content: choicesAskPage(words), ...more });
    const identity = await contactProofs.identityOf(call).catch((error: unknown) => {
      if (error instanceof HabeasError && error.code === 'NOT_FOUND') return 'over' as const;
      throw error;
    });
    if (identity === 'over') {
      cookie.clear(reply);
      return show(request, reply, { title: 'choices', content: choicesAskPage(words), ...more });
    }
    if (identity === undefined)
      return show(request, reply, { title: 'choices', content: choicesCodePage(words), ...more });
    const { purposes } = await consent.read(organizationId, identity);
    const said = new Map(purposes.map((one) => [one.code, one.said]));
    const content = choicesPage(words, noticeFor(request).purposes, said);
    return show(request, reply, { title: 'choices', content, ...more });
  }

  async function save(request: FastifyRequest, form: URLSearchParams): Promise<void> {
    const identity = await proofs().identityOf(callOf(request));
    if (identity === undefined) throw new HabeasError('NOT_FOUND', 'Nothing was proved yet.');
    const notice = noticeFor(request);
    const choices = choicesIn(form, notice.purposes);
    if (Object.keys(choices).length === 0) throw new HabeasError('BAD_INPUT', 'Nothing was chosen.');
    const signal = api.consentSignalSchema.parse({
      event_id: `portal:${randomUUID()}`,
      identity,
      said_at: clock.now().toISOString(),
      choices,
      source: 'portal',
      notice: { version: notice.version, language: notice.language, variant: 'portal' },
    });
    const [outcome] = await consent.record({ organizationId, actor: PERSON }, [signal]);
    if (outcome?.state !== 'stored')
      throw new HabeasError('INTERNAL', `A choice was not stored: ${outcome?.code}`);
  }

  scope.get(PATH, options, async (request, reply) => {
    const query = new URL(request.url, publicUrl).searchParams;
    const words = say(request);
    const told = query.has('saved')
      ? words('choices_saved')
      : query.has('sent')
        ? words.proof('sent')
        : undefined;
    return page(request, reply, { told: told === undefined ? undefined : { words: told, isAlert: false } });
  });

  scope.post(PATH, options, async (request, reply) => {
    const form = formOf(request);
    const language = languageFor(request);
    try {
      switch (form.get('act')) {
        case 'begin': {
          const email = api.mailAddressSchema.safeParse(form.get('email')?.trim());
          if (!email.success) throw new HabeasError('BAD_INPUT', 'email: no mail address.');
          const { token } = await proofs().begin({ email: email.data, language, client: clientOf(request) });
          cookie.set(reply, token);
          return to(reply, PATH);
        }
        case 'send-code':
          await proofs().sendCode(callOf(request), language);
          return to(reply, `${PATH}?sent`);
        case 'prove':
          await proofs().prove(callOf(request), (form.get('code') ?? '').replaceAll(/\D/g, ''));
          return to(reply, PATH);
        case 'save':
          await save(request, form);
          return to(reply, `${PATH}?saved`);
        case 'end':
          await proofs().end(callOf(request));
          cookie.clear(reply);
          return to(reply, PATH);
        default:
          throw new HabeasError('BAD_INPUT', 'The form is not known.');
      }
    } catch (error) {
      return page(request, reply, refusal(request, error));
    }
  });
}
