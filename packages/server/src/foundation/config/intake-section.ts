import * as z from 'zod';
import { duration, httpUrl, name, signingSecret, span } from './values.ts';

/** At most so many in a period, over time. */
const limit = (most: number) =>
  z
    .strictObject({
      most: z.int().min(1).max(1_000_000).default(most),
      /** (Default: 1h) */
      per: duration.prefault('1h'),
    })
    .prefault({});

/** How people ask by themselves, without an API key. */
export const intakeSection = z.strictObject({
  /** What has to be passed before somebody is believed to be who they say. */
  require: z
    .array(z.enum(['codes', 'questions', 'officer']))
    .min(1)
    .default(['codes']),
  /** The page where people go on with a request; links in mails lead there, with a token in the fragment. */
  page: httpUrl.refine((text) => URL.parse(text)?.hash === '', 'an address without a fragment').optional(),
  /** By when it has to be proved who asks. */
  expires: span.prefault('7d'),
  limits: z
    .strictObject({
      /** Requests of one network address. */
      asks_per_client: limit(20),
      /** Other calls of one network address, codes that it tries among them. */
      calls_per_client: limit(300),
      /** Mails with a code to one address, whoever asks. */
      codes_per_address: limit(5),
    })
    .prefault({}),
  /** The organization's back end, which is asked about everybody who asks. */
  questions: z
    .strictObject({
      /** Redirects are not followed; private addresses only where `networks.allow_private` has them. */
      url: httpUrl,
      /** Signs both ways, after Standard Webhooks. */
      secret: signingSecret,
    })
    .optional(),
  /** The sign-in of the organization's own users, by OpenID Connect. */
  sign_in: z
    .strictObject({
      issuer: httpUrl,
      client_id: z.string().min(1),
      /** (Default: none, a public client) */
      client_secret: z.string().min(1).optional(),
      scopes: z.array(z.string().min(1)).min(1).default(['openid', 'email']),
      /** The type of identity that the provider's `sub` is. */
      subject_type: name.default('user_id'),
    })
    .optional(),
});
