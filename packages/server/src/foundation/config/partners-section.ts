import * as z from 'zod';
import { duration } from './values.ts';

/** A host name, as certificates and the protocols' headers spell it. */
const domain = z
  .string()
  .max(253)
  .regex(
    /^(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
    'a host name in lower case',
  );

const identityType = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'a type of identities such as user_id');

/** Other organizations' systems that may send requests. Without a protocol's part nobody can speak it. */
export const partnersSection = z.strictObject({
  /** OpenDSR 2.0 (formerly OpenGDPR): Habeas is the processor. */
  opendsr: z
    .strictObject({
      /** Where controllers reach this server; the certificate must be issued for it. */
      domain,
      /** PEM, the certificate first and those of its authorities behind it; relative to the configuration. */
      certificate: z.string(),
      /** PEM of its RSA key. */
      key: z.string(),
      /** Identity type of OpenDSR → identity type of the datasets. */
      identities: z.record(identityType, identityType).default({ email: 'email' }),
    })
    .optional(),
  /** Data Rights Protocol 1.0: Habeas is the privacy infrastructure provider. */
  drp: z
    .strictObject({
      /** As the service directory names this business. */
      business_id: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,100}$/, 'the id of a business in the service directory'),
      /** The agents of the service directory: a file relative to the configuration, or an `https://` address. */
      directory: z.string().min(1).optional(),
      /** How often it is read again. */
      directory_interval: duration.prefault('1h'),
      /** Longest time between `issued-at` and `expires-at` of a signed message. */
      max_validity: duration.prefault('15m'),
      /** How long an agent, or the person, has to prove who asks where no claim is verified. */
      verification_term: duration.prefault('14d'),
    })
    .optional(),
});

export type PartnersConfig = z.output<typeof partnersSection>;
