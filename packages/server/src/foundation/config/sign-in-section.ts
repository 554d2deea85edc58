import { api } from '@habeas/contract';
import * as z from 'zod';
import { httpUrl } from './values.ts';

/** How people of the organization sign in to Habeas, by OpenID Connect. */
export const signInSection = z.strictObject({
  issuer: httpUrl,
  client_id: z.string().min(1),
  /** (Default: none, a public client) */
  client_secret: z.string().min(1).optional(),
  /** What the button says. */
  name: z.string().min(1).max(60).default('your organization'),
  scopes: z.array(z.string().min(1)).min(1).default(['openid', 'email', 'profile']),
  /** The claim that has the groups of somebody. */
  groups_claim: z.string().min(1).default('groups'),
  /** Group → what who is in it may do; the first that fits counts. Others need an invitation. */
  groups: z
    .record(
      z.string().min(1),
      z.strictObject({ role: api.roleSchema, teams: z.array(z.string().min(1)).min(1).optional() }),
    )
    .default({}),
});
