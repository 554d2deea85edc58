import * as z from 'zod';
import { timeSchema, wordsSchema } from './common.ts';

/** `https://host` or `https://host:port`, without a path; `http://` only for what a person names so. */
const originSchema = z
  .url({ protocol: /^https?$/ })
  .max(300)
  .refine((text) => URL.parse(text)?.origin === text, 'a scheme, a host and perhaps a port, and nothing else')
  .describe('Where its callbacks may go, such as `https://dsr.partner.example`');

const callbackOrigins = z.array(originSchema).max(20);

const partnerId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, 'letters, digits, _, . and -');

export const partnerSchema = z
  .object({
    id: z.string(),
    protocol: z
      .enum(['opendsr', 'drp'])
      .describe('opendsr: a controller; drp: an authorized agent of the Data Rights Protocol'),
    partner_id: z.string().describe('What the protocol calls it: `controller_id` or `agent-id`'),
    name: z.string(),
    source: z
      .enum(['registered', 'directory'])
      .describe('Who told of it: a person, or the service directory'),
    verify_key: z.string().nullable().describe('Of an agent: its Ed25519 key in base64'),
    callback_origins: callbackOrigins,
    created_at: timeSchema,
    created_by: z.string(),
    revoked_at: timeSchema.nullable().describe('From then on nothing of it is taken'),
  })
  .meta({ id: 'Partner' });

export const createControllerSchema = z
  .strictObject({
    controller_id: partnerId.describe('Comes back in every answer to the controller'),
    name: wordsSchema.max(200),
    callback_origins: callbackOrigins.default([]),
  })
  .meta({ id: 'CreateController' });

export const newControllerSchema = partnerSchema
  .extend({
    token: z.string().describe('What the controller signs in with. It is shown in this answer alone'),
  })
  .meta({ id: 'NewController' });

/** An entry of the service directory of the Data Rights Protocol (§3.05.1); what else it says is left alone. */
export const directoryAgentSchema = z.object({
  id: partnerId,
  name: wordsSchema.max(200),
  verify_key: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=?$/, '32 bytes in base64')
    .describe('Its Ed25519 key'),
  callback_origins: callbackOrigins.default([]),
});

/** A service directory of the Data Rights Protocol: its agents, alone or as a member. */
export const agentDirectorySchema = z.union([
  z.array(directoryAgentSchema),
  z.object({ agents: z.array(directoryAgentSchema) }).transform(({ agents }) => agents),
]);

export const registerAgentsSchema = z
  .strictObject({ agents: z.array(directoryAgentSchema).min(1).max(1_000) })
  .meta({ id: 'RegisterAgents' });

export const allowCallbacksSchema = z
  .strictObject({
    callback_origins: callbackOrigins.describe('All of them; what is not named any more is not called'),
  })
  .meta({ id: 'AllowCallbacks' });

export const partnerListSchema = z.object({ items: z.array(partnerSchema) }).meta({ id: 'PartnerList' });

export type PartnerView = z.output<typeof partnerSchema>;
export type NewControllerView = z.output<typeof newControllerSchema>;
export type DirectoryAgent = z.output<typeof directoryAgentSchema>;
