import { api } from '@habeas/contract';
import * as z from 'zod';

/** How a version of the protocol is spelled: paths, headers and what it does not ask for. */
export type ApiVersion = '1.0' | '2.0';

/** A request of a controller that Habeas can carry out. */
export interface ReadRequest {
  readonly subjectRequestId: string;
  readonly right: api.Right;
  readonly regulation: 'gdpr' | 'ccpa';
  readonly identities: readonly api.Identity[];
  readonly callbackUrls: readonly string[];
}

/** One thing that is wrong, without anything of the values. */
export interface Mistake {
  readonly where: string;
  readonly message: string;
}

export interface ReadOptions {
  readonly version: ApiVersion;
  /** Identity type of OpenDSR → identity type of the datasets. */
  readonly identities: Readonly<Record<string, string>>;
  /** Our own domain: extensions under it would be for us, and we have none. */
  readonly domain: string;
  readonly now: Date;
}

/** Clocks may differ by this much. */
const SKEW_MILLISECONDS = 10 * 60_000;

/** UUID version 4 in lower case (OpenDSR §1.1). */
const UUID_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The rights of the product that OpenDSR has a word for; the words are the same. */
export const REQUEST_TYPES: readonly api.Right[] = api.rightSchema.options.filter((right) =>
  ['access', 'portability', 'erasure'].includes(right),
);

const requestSchema = z.looseObject({
  regulation: z.enum(['gdpr', 'ccpa']).optional(),
  subject_request_id: z.string().regex(UUID_4, 'a UUID of version 4 in lower case'),
  subject_request_type: z.enum(['access', 'portability', 'erasure']),
  subject_identities: z
    .array(
      z.looseObject({
        identity_type: z.string().max(100),
        identity_value: z.string().min(1).max(1_000),
        identity_format: z.enum(['raw', 'sha1', 'md5', 'sha256']),
      }),
    )
    .min(1)
    .max(20),
  submitted_time: z.iso.datetime({ offset: true }),
  api_version: z.string().max(20).optional(),
  status_callback_urls: z.array(z.string().min(1).max(2_000)).max(10).default([]),
  extensions: z.record(z.string(), z.unknown()).optional(),
});

/** Reads the body of a request (OpenDSR 2.0 §7.1), or says all that is wrong with it. Pure. */
export function readRequest(value: unknown, options: ReadOptions): ReadRequest | readonly Mistake[] {
  const parsed = requestSchema.safeParse(value);
  if (!parsed.success) {
    return parsed.error.issues.map((issue) => ({ where: placeOf(issue.path), message: issue.message }));
  }
  const asked = parsed.data;
  const right = REQUEST_TYPES.find((type) => type === asked.subject_request_type);
  const mistakes: Mistake[] = [];
  const wrong = (where: string, message: string) => void mistakes.push({ where, message });
  if (asked.regulation === undefined && options.version !== '1.0')
    wrong('regulation', 'it is required: gdpr or ccpa');
  if (right === undefined) wrong('subject_request_type', `only ${REQUEST_TYPES.join(' and ')} are supported`);
  if (asked.api_version !== undefined && asked.api_version.split('.')[0] !== options.version.split('.')[0])
    wrong('api_version', `this path speaks ${options.version}`);
  if (new Date(asked.submitted_time).getTime() - options.now.getTime() > SKEW_MILLISECONDS)
    wrong('submitted_time', 'it is in the future; correct the clock of the controller');
  if (asked.extensions !== undefined && Object.hasOwn(asked.extensions, options.domain))
    wrong(
      'extensions',
      `${options.domain} has no extensions, and a request that needs one is not carried out without it`,
    );
  const identities = asked.subject_identities.map((identity, index): api.Identity => {
    const where = `subject_identities[${index}]`;
    const type = Object.hasOwn(options.identities, identity.identity_type)
      ? options.identities[identity.identity_type]
      : undefined;
    if (type === undefined)
      wrong(`${where}.identity_type`, 'it is not supported; discovery lists those that are');
    if (identity.identity_format !== 'raw')
      wrong(
        `${where}.identity_format`,
        `a person cannot be found by a hash (${identity.identity_format}) in systems that hold the identity itself; send it raw`,
      );
    return { type: type ?? '', value: identity.identity_value };
  });
  const checked = z.array(api.identitySchema).safeParse(identities);
  if (mistakes.length === 0 && !checked.success)
    wrong('subject_identities', 'a value holds characters that cannot be stored');
  if (right === undefined || mistakes.length > 0) return mistakes;
  return {
    subjectRequestId: asked.subject_request_id,
    right,
    regulation: asked.regulation ?? 'gdpr',
    identities,
    callbackUrls: asked.status_callback_urls,
  };
}

function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}
