import * as z from 'zod';
import { duration, httpUrl, name } from './values.ts';

/** Where events are posted to. */
const webhook = z.strictObject({
  /** Redirects are not followed; private addresses only where `networks.allow_private` has them. */
  url: httpUrl.refine((text) => {
    const url = URL.parse(text);
    return url !== null && url.username === '' && url.password === '' && url.hash === '';
  }, 'an address without user, password and fragment'),
  /** Signs what is sent, after Standard Webhooks: 24 to 64 random bytes in base64, with or without `whsec_`. */
  secret: z.string().refine((text) => {
    const base64 = text.replace(/^whsec_/, '');
    const { length } = Buffer.from(base64, 'base64');
    return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && length >= 24 && length <= 64;
  }, '24 to 64 bytes in base64, such as `openssl rand -base64 32` prints'),
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
  /** A receiver that fails for so long loses what it did not take. */
  give_up_after: duration.prefault('3d'),
});

export type NotifyConfig = z.output<typeof notifySection>;
