import * as z from 'zod';
import { webhook } from './notify-section.ts';
import { streamName, subject } from './streams-section.ts';
import { key } from './values.ts';

const identityType = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'an identity type such as email');
const code = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'the code of a purpose');

/** What the body of Ketch's forwarder (`consent/v1`) says beside the choices. */
const ketch = z.strictObject({
  property: z.string().min(1).max(200),
  environment: z.string().min(1).max(200).default('production'),
  jurisdiction: z.string().min(1).max(200),
  /** (Default: the jurisdiction) */
  regulation: z.string().min(1).max(200).optional(),
});

/** Something that is told what people agree to. */
const destination = z
  .strictObject({
    key,
    /** Where choices are posted to, signed. */
    webhook: z.strictObject({ ...webhook.shape, ketch: ketch.optional() }).optional(),
    /** A connection, or a service that has a client: objections are noted there. */
    system: z.string().min(1).optional(),
    /** A stream of `streams.nats`, which has to be there. */
    stream: z.strictObject({ name: streamName, subject }).optional(),
    /** Types of identities that it is told. */
    identities: z.array(identityType).min(1),
    /** Code of a purpose → what the destination calls it; it is told about no others. (Default: all, by their codes) */
    purposes: z.record(code, z.string().min(1).max(200)).optional(),
    acknowledge: z.enum(['answer', 'call']).default('answer'),
  })
  .refine(
    ({ webhook, system, stream }) =>
      [webhook, system, stream].filter((way) => way !== undefined).length === 1,
    'has one of `webhook`, `system` and `stream`',
  )
  .refine(
    ({ system, acknowledge }) => system === undefined || acknowledge === 'answer',
    'is a system, which acknowledges by its answer',
  );

/** What is told what people agree to; see docs/propagate-consent.md. */
export const consentDestinations = z
  .array(destination)
  .default([])
  .check(({ value, issues }) => {
    const keys = value.map((one) => one.key);
    for (const [index, one] of keys.entries())
      if (keys.indexOf(one) < index)
        issues.push({
          code: 'custom',
          path: [index, 'key'],
          message: 'another destination has this key',
          input: one,
        });
  });
