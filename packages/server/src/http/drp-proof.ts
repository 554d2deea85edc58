import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { languageOf, preferredLanguage } from '../notify/index.ts';
import type { PersonProof, ProofAct, ProofView, ProofVisit } from '../partners/index.ts';
import type { Application } from './application.ts';
import { clientOf } from './client-of.ts';
import { proofPage } from './drp-proof-page.ts';
import type { HttpServer } from './operation.ts';
import { bodyOf, idOf, wireScope } from './wire-scope.ts';

/** `user_verification_url` of the Data Rights Protocol: a page and its form, for whoever an agent sends here. */
export async function drpProofRoutes(
  app: HttpServer,
  { partners }: Pick<Application, 'partners'>,
): Promise<void> {
  const proof = partners.drp?.personProof;
  if (proof === undefined) return;
  const url = '/v1/agent/:agent/data-rights-request/:id/verify';
  const options = { config: { open: true }, schema: { hide: true } } as const;
  await wireScope(app, (scope) => {
    scope.get(url, options, async (request, reply) =>
      show(request, reply, { proof, view: await proof.look(visitOf(request)) }),
    );
    scope.post(url, options, async (request, reply) => {
      const view = await proof.act(visitOf(request), actOf(bodyOf(request)));
      // By the protocol back to the agent, once it is proved and not before.
      if (view?.step === 'done' && view.returnTo !== undefined)
        return reply.code(303).header('cache-control', 'no-store').header('location', view.returnTo).send();
      return show(request, reply, { proof, view });
    });
  });
}

function queryOf({ url }: FastifyRequest): URLSearchParams {
  return new URL(url, 'http://habeas').searchParams;
}

function visitOf(request: FastifyRequest): ProofVisit {
  const query = queryOf(request);
  const { params } = request;
  const agent: unknown =
    typeof params === 'object' && params !== null && 'agent' in params ? params.agent : undefined;
  return {
    agentId: typeof agent === 'string' ? agent : '',
    wireId: idOf(request),
    requestId: query.get('request_id') ?? undefined,
    redirectTo: query.get('redirect_to') ?? undefined,
    client: clientOf(request),
  };
}

/** What a browser sends of the form. */
function actOf(body: Buffer): ProofAct {
  const form = new URLSearchParams(body.toString('utf8'));
  switch (form.get('act')) {
    case 'send-code':
      return { type: 'send-code' };
    case 'answer': {
      const named = [...form].filter(([name]) => name.startsWith('answer.'));
      return {
        type: 'answer',
        answers: Object.fromEntries(named.map(([name, value]) => [name.slice('answer.'.length), value])),
      };
    }
    default:
      // Also with Enter. People copy codes with spaces in them.
      return { type: 'prove', code: (form.get('code') ?? '').replaceAll(/\D/g, '').slice(0, 12) };
  }
}

async function show(
  request: FastifyRequest,
  reply: FastifyReply,
  { proof, view }: { readonly proof: PersonProof; readonly view: ProofView | undefined },
): Promise<FastifyReply> {
  const query = queryOf(request);
  const language =
    languageOf(query.get('lang') ?? '') ??
    preferredLanguage(request.headers['accept-language']) ??
    proof.texts.language;
  const nonce = randomBytes(16).toString('base64');
  // Browsers hold a form's way back to this rule, too.
  const returnOrigin = view?.returnTo === undefined ? '' : ` ${new URL(view.returnTo).origin}`;
  const page = proofPage({ nonce, language, texts: proof.texts, view, query: `?${query}` });
  return (
    reply
      .code(view === undefined ? 404 : 200)
      .header(
        'content-security-policy',
        `default-src 'none'; style-src 'nonce-${nonce}'; img-src data:; base-uri 'none'; form-action 'self'${returnOrigin}; frame-ancestors 'none'`,
      )
      // With `no-referrer` a browser would say of the form that it comes from nowhere, and it would be refused.
      .header('referrer-policy', 'same-origin')
      .header('cache-control', 'no-store')
      .header('content-language', language)
      .header('vary', 'accept-language')
      .header('content-type', 'text/html; charset=utf-8')
      .send(page)
  );
}
