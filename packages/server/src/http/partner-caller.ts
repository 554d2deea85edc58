import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PartnerRow } from '../partners/index.ts';
import type { Application } from './application.ts';
import { setCaller } from './caller.ts';
import { presentedKey } from './presented-key.ts';
import type { RateLimiters } from './rate-limit.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Partners of this protocol sign in with their tokens; what strangers are told is up to the protocol. */
    partner?: 'opendsr' | 'drp';
  }
}

const partners = new WeakMap<FastifyRequest, PartnerRow>();

/** Which partner signed in; undefined: none. */
export function partnerOf(request: FastifyRequest): PartnerRow | undefined {
  return partners.get(request);
}

/** Looks who a partner's token belongs to. A partner has a budget of calls of its own; strangers share that of their address. */
export async function signInPartner(
  {
    request,
    reply,
    protocol,
  }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly protocol: 'opendsr' | 'drp' },
  {
    partners: room,
    organizationId,
    limiters,
  }: Pick<Application, 'partners' | 'organizationId'> & { readonly limiters: RateLimiters },
): Promise<void> {
  const token = presentedKey(request.headers.authorization);
  const partner = token === undefined ? undefined : await room.registry.authenticate(protocol, token);
  if (partner === undefined) return limiters.countAddress(request, reply);
  partners.set(request, partner);
  setCaller(request, { organizationId, actor: `partner:${partner.id}` });
  limiters.countKey(request, reply);
}
