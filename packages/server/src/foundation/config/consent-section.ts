import * as z from 'zod';
import { consentDestinations } from './consent-destinations-section.ts';
import { consentTargets } from './consent-targets-section.ts';
import { signingSecret } from './values.ts';

/** What people agree to; see docs/consent.md. */
export const consentSection = z.strictObject({
  /** The file of purposes, relative to the configuration. (Default: there are none) */
  purposes: z.string().optional(),
  /** Pages that may call `/consent/v1`, beside those of this server's own address. */
  origins: z
    .array(
      z
        .url({ protocol: /^https?$/ })
        .refine((text) => URL.parse(text)?.origin === text, 'an origin such as https://www.example.org'),
    )
    .default([]),
  /** The back end signs with the first who it is that signed in; more than one while they change. */
  identity_secrets: z.array(signingSecret).default([]),
  /** What becomes of what a browser said, when somebody signs in with it. */
  merge: z.enum(['latest', 'own_first', 'never']).default('latest'),
  /** The folder of jobs, relative to the configuration: each file in it is in the record of processing, also if it never ran. */
  jobs: z.string().default('jobs'),
  /** Databases in which jobs see only those who agreed; see docs/enforce-consent.md. */
  targets: consentTargets,
  /** What is told of every choice; see docs/propagate-consent.md. */
  destinations: consentDestinations,
});
