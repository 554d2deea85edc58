import * as z from 'zod';
import { duration, httpUrl, name } from './values.ts';

const webhookSecret = z.string().refine((text) => {
  const base64 = text.replace(/^whs(ec|k)_/, '');
  const { length } = Buffer.from(base64, 'base64');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return false;
  // An Ed25519 key is its seed alone (RFC 8032), or the seed with the public key behind it.
  return text.startsWith('whsk_') ? length === 32 || length === 64 : length >= 24 && length <= 64;
}, '24 to 64 bytes in base64, such as `openssl rand -base64 32` prints, or whsk_ and 32 bytes');

/** Where events are posted to. */
export const webhook = z.strictObject({
  /** Redirects are not followed; private addresses only where `networks.allow_private` has them. */
  url: httpUrl.refine((text) => {
    const url = URL.parse(text);
    return url !== null && url.username === '' && url.password === '' && url.hash === '';
  }, 'an address without user, password and fragment'),
  /**
   * Signs what is sent, after Standard Webhooks: 24 to 64 random bytes in base64, with or without `whsec_`, that the receiver has too;
   * or, with `whsk_`, the 32 bytes of an Ed25519 key, of which the receiver has the public half.
   */
  secret: webhookSecret,
  /** Sign besides, while the receiver changes from one of them to `secret`. */
  former_secrets: z.array(webhookSecret).max(5).default([]),
});

/** Where somebody is told what concerns them. */
export const receiver = { mail: z.email().optional(), webhook: webhook.optional() };

/** Who is told what, and how. */
export const notifySection = z.strictObject({
  /** The mail server that takes what Habeas sends. */
  smtp: z
    .strictObject({
      /** `smtp://host:587`, or `smtps://` for TLS from the first byte; may hold user and password, which need TLS. */
      url: z.url({ protocol: /^smtps?$/ }),
      from: z.email(),
    })
    .optional(),
  /** Programs that follow what happens. */
  webhooks: z
    .array(
      z.strictObject({
        name,
        ...webhook.shape,
        /** Types of events: exact ones, `map.*`, or `*`. */
        events: z
          .array(
            z.string().regex(/^(\*|[a-z][a-z-]*(\.[a-z-]+)*(\.\*)?)$/, 'a type of events, `map.*` or `*`'),
          )
          .min(1)
          .default(['*']),
      }),
    )
    .default([]),
  /** Who runs Habeas. */
  operators: z.strictObject(receiver).prefault({}),
  /** Who answers for requests: the data protection officer, or the privacy team. */
  officer: z.strictObject(receiver).prefault({}),
  /** A mail server that fails for so long loses what it did not take. */
  give_up_after: duration.prefault('3d'),
});

export type NotifyConfig = z.output<typeof notifySection>;
