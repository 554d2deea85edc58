import * as z from 'zod';
import { duration, httpUrl, name } from './values.ts';

/** A program in which teams keep their work. Tickets are mirrored into it, and closing there is followed. */
const tracker = z
  .strictObject({
    name,
    kind: z.enum(['github', 'jira', 'redmine', 'webhook']),
    /** Whose tickets, by the names of teams in declarations. */
    teams: z.array(z.string().min(1)).min(1),
    /** Where its API is, or where a webhook takes tickets. (Default for GitHub: https://api.github.com) */
    url: httpUrl.optional(),
    /** `owner/repository` of GitHub, key of a project of Jira, identifier of a project of Redmine; a webhook has none. */
    project: z
      .string()
      .regex(/^[\w.-]+(\/[\w.-]+)?$/, 'the name of a project')
      .optional(),
    /** Of Jira: the mail address that the token belongs to. */
    user: z.string().min(1).optional(),
    /** From the environment: `${JIRA_TOKEN}`. Of a webhook the secret that both sides sign with, `whsec_…`. */
    token: z.string().min(1),
    /** Of Jira. */
    issue_type: z.string().min(1).default('Task'),
    /** How often it is asked what changed. */
    interval: duration.prefault('1m'),
  })
  .refine((one) => one.kind === 'github' || one.url !== undefined, 'url is missing')
  .refine((one) => one.kind !== 'jira' || one.user !== undefined, 'Jira needs the user of its token')
  .refine(
    (one) => one.project === undefined || (one.kind === 'github') === one.project.includes('/'),
    'owner/repository for GitHub, and for no other',
  )
  .refine(
    (one) => (one.kind === 'webhook') === (one.project === undefined),
    'project is missing, or it is a webhook, which has none',
  )
  .refine(
    (one) => one.kind !== 'webhook' || /^(whsec_)?[A-Za-z0-9+/]{32,86}={0,2}$/.test(one.token),
    'the token of a webhook is 24 to 64 random bytes in base64, with or without whsec_',
  );

export const trackersSection = z.array(tracker).check(({ value, issues }) => {
  for (const [index, one] of value.entries()) {
    const first = value.findIndex((other) => other.name === one.name);
    if (first === index) continue;
    issues.push({
      code: 'custom',
      path: [index, 'name'],
      message: 'another tracker has this name',
      input: one.name,
    });
  }
});

export type TrackerConfig = z.output<typeof tracker>;
