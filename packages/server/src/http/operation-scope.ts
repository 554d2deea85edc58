import type { api } from '@habeas/contract';
import type { FastifyContextConfig, FastifyRequest, RouteOptions } from 'fastify';
import { HabeasError } from '../foundation/index.ts';
import { principalOf } from './caller.ts';
import type { HttpServer, TAGS } from './operation.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key has to be allowed to do. Every route that is not open has one. */
    scope?: api.Scope;
  }
}

/** What a key needs to look, and to do something; none: nobody may. */
const BY_TAG: Readonly<Record<keyof typeof TAGS, readonly [api.Scope?, api.Scope?]>> = {
  Requests: ['requests:read', 'requests:write'],
  People: [],
  Tasks: ['requests:read', 'tasks:write'],
  Plans: ['requests:read', 'requests:write'],
  Policy: ['policy:read', 'policy:read'],
  'Legal holds': ['holds:read', 'holds:write'],
  Pauses: ['pauses:read', 'pauses:write'],
  Tickets: ['tickets:read', 'tickets:write'],
  'Processing choices': ['choices:read', 'choices:read'],
  Consent: ['consent:read', 'consent:write'],
  Map: ['map:read', 'map:write'],
  Catalog: ['map:read'],
  Clients: ['connections:read', 'connections:write'],
  Connections: ['connections:read', 'connections:write'],
  Partners: ['partners:read', 'partners:write'],
  Webhooks: ['webhooks:read', 'webhooks:write'],
  Keys: ['keys:read', 'keys:write'],
  Members: ['members:read', 'members:write'],
  Sessions: [],
  Audit: ['audit:read'],
  Events: ['requests:read'],
  Server: ['server:read'],
};

/** Operations that need something else than others of their tag. */
const BY_OPERATION: Readonly<Record<string, api.Scope>> = {
  approveRequest: 'requests:approve',
  rejectRequest: 'requests:approve',
  approveGap: 'map:approve',
  rejectGap: 'map:approve',
  reopenGap: 'map:approve',
  // They tell whom something is about.
  downloadPackage: 'personal-data:read',
  getPackageKey: 'personal-data:read',
  makePackageLink: 'personal-data:read',
  listPersonMails: 'personal-data:read',
  readConsent: 'personal-data:read',
  getConsent: 'personal-data:read',
  readConsentHistory: 'personal-data:read',
  getConsentReceipt: 'personal-data:read',
  exportConsent: 'personal-data:read',
  getTicket: 'tickets:write',
  // Whoever decides about tasks decides whose they are, not the team that would rather not have it.
  reassignTicket: 'tasks:write',
};

/** What everybody may who signed in, about themselves alone. */
const FOR_ALL: ReadonlySet<string> = new Set(['getSession', 'confirmSession', 'endSession']);

/** Gives every route that is registered from now on its scope, and writes it into the description of the API. */
export function scopeRoutes(app: HttpServer): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.open === true) return;
    if (FOR_ALL.has(operationIdOf(route) ?? '')) return;
    const scope = scopeOf(route);
    route.config = { ...route.config, scope };
    if (route.schema !== undefined)
      Object.assign(route.schema, { security: [{ key: [scope] }, { browser: [scope] }] });
  });
}

/** Refuses a key that may not do this. A path that does not exist needs none. Throws FORBIDDEN. */
export function refuseBeyondScope(
  request: FastifyRequest,
  { scope }: Pick<FastifyContextConfig, 'scope'>,
): void {
  if (scope === undefined || principalOf(request).scopes.has(scope)) return;
  throw new HabeasError('FORBIDDEN', `This needs a key with the scope ${scope}.`);
}

function scopeOf(route: RouteOptions): api.Scope {
  const [tag = 'Server'] = (route.schema?.tags ?? []) as (keyof typeof TAGS)[];
  const [look, act] = BY_TAG[tag];
  const looks = [route.method].flat().includes('GET');
  const scope = BY_OPERATION[operationIdOf(route) ?? ''] ?? (looks ? look : act);
  if (scope === undefined) throw new Error(`Nothing says which scope ${route.url} needs.`);
  return scope;
}

function operationIdOf({ schema }: RouteOptions): string | undefined {
  return schema?.operationId;
}
