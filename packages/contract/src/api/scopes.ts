import * as z from 'zod';

/** What a key may do, one word each; every operation needs one of them. */
export const SCOPES = {
  'requests:read': 'Requests, their tasks, plans and receipts, and what happens to them, as it happens',
  'requests:write': 'Make, import, verify, hold, extend and cancel requests',
  'requests:approve': 'Approve and reject requests',
  'personal-data:read': 'Packages, mails to people, and what a named person agreed to',
  'tasks:write': 'Try tasks again, and skip them',
  'tickets:read': 'Tickets, without the people that they are about',
  'tickets:write': 'Read whom a ticket is about, close and reject it',
  'policy:read': 'The policy, and what it says of a case',
  'holds:read': 'Legal holds',
  'holds:write': 'Place and release legal holds',
  'pauses:read': 'What is paused',
  'pauses:write': 'Stop work, and let it go on',
  'choices:read': 'Ask what the data of people may not be used for',
  'consent:read': 'Purposes',
  'consent:write': 'Record what people agree to',
  'map:read': 'The data map',
  'map:write': 'Declare what programs do',
  'map:approve': 'Approve and reject what the map does not know',
  'connections:read': 'Systems, and addresses that teams published',
  'connections:write': 'Approve and reject addresses, and check systems',
  'partners:read': 'Partners',
  'partners:write': 'Register and revoke partners',
  'webhooks:read': 'Webhooks, and what they did not take',
  'webhooks:write': 'Enable webhooks, and send again what they did not take',
  'keys:read': 'API keys, without the keys themselves',
  'keys:write': 'Make and revoke API keys',
  'members:read': 'Who signs in: their addresses and roles',
  'members:write': 'Invite people, change their roles, and remove them',
  'audit:read': 'Who did what, when, with proofs',
  'server:read': 'Figures of the server, and the description of the API',
} as const;

export type Scope = keyof typeof SCOPES;

export const ALL_SCOPES = Object.keys(SCOPES) as readonly Scope[];

/** Everything that can be looked at without learning whom it is about. */
const TELLING: readonly Scope[] = ['personal-data:read', 'choices:read', 'members:read'];
const LOOK = ALL_SCOPES.filter((scope) => scope.endsWith(':read') && !TELLING.includes(scope));

/** What people in a role may do. */
export const ROLES = {
  /** Everything. */
  owner: ALL_SCOPES,
  /** Decides about requests, and sees what they found. */
  officer: [
    ...LOOK,
    'requests:write',
    'requests:approve',
    'personal-data:read',
    'tasks:write',
    'tickets:write',
    'holds:write',
    'pauses:write',
    'choices:read',
    'consent:write',
    'map:approve',
  ],
  /** Keeps the systems working; decides about nobody. */
  operator: [
    ...LOOK,
    'tasks:write',
    'pauses:write',
    'map:write',
    'map:approve',
    'connections:write',
    'partners:write',
    'webhooks:write',
  ],
  /** Does the tickets of a team. */
  member: ['tickets:read', 'tickets:write', 'map:read'],
  /** Sees everything but whom it is about, and changes nothing. */
  auditor: LOOK,
} as const satisfies Readonly<Record<string, readonly Scope[]>>;

export type Role = keyof typeof ROLES;

export const scopeSchema = z.enum(ALL_SCOPES as readonly [Scope, ...Scope[]]).meta({ id: 'Scope' });
