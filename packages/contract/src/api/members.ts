import * as z from 'zod';
import { timeSchema, wordsSchema } from './common.ts';
import { mailAddressSchema } from './mail-address.ts';
import { ROLES, type Role } from './scopes.ts';

export const roleSchema = z.enum(Object.keys(ROLES) as [Role, ...Role[]]).meta({ id: 'Role' });

const teamsSchema = z
  .array(wordsSchema.max(200))
  .min(1)
  .max(100)
  .nullable()
  .describe('Whose tickets they may see and do; null: of all teams');

/** Somebody of the organization who signs in by themselves. */
export const memberSchema = z
  .object({
    id: z.string(),
    email: z.string().nullable().describe('As the sign-in verified it, or as they were invited'),
    name: z.string().nullable().describe('As the sign-in tells it; null before the first time'),
    role: roleSchema,
    teams: teamsSchema,
    by_group: z
      .string()
      .nullable()
      .describe('The group of the sign-in that gives them their role; null: they were invited'),
    created_at: timeSchema,
    created_by: z
      .string()
      .describe('As audit entries name it: `key:<id>`, `member:<id>`, or `system` for who came by a group'),
    signed_in_at: timeSchema.nullable().describe('The last time'),
  })
  .meta({ id: 'Member' });

export const memberListSchema = z.object({ items: z.array(memberSchema) }).meta({ id: 'MemberList' });

export const inviteMemberSchema = z
  .strictObject({
    email: mailAddressSchema.describe('With which they sign in; capital letters make no difference'),
    role: roleSchema,
    teams: teamsSchema.default(null),
  })
  .meta({ id: 'InviteMember' });

export const changeMemberSchema = z
  .strictObject({ role: roleSchema.optional(), teams: teamsSchema.optional() })
  .meta({ id: 'ChangeMember' });

/** How people can sign in here. */
export const waysToSignInSchema = z
  .object({
    api_key: z.literal(true),
    provider: z
      .object({ name: z.string().describe('What a button says'), url: z.string().describe('Where it leads') })
      .nullable()
      .describe("The organization's own sign-in; null: there is none"),
  })
  .meta({ id: 'WaysToSignIn' });

export type MemberView = z.output<typeof memberSchema>;
export type InviteMember = z.output<typeof inviteMemberSchema>;
export type ChangeMember = z.output<typeof changeMemberSchema>;
