import { type Config, HabeasError, sha256Hex } from '../../foundation/index.ts';
import { allowedByDefault, type Purpose } from '../purposes/index.ts';

/** Something outside that has to know what people agree to. */
export interface Destination {
  readonly key: string;
  readonly organizationId: string;
  readonly by: DestinationWay;
  /** Types of identities that it is told; of people without any of them it is told nothing. */
  readonly identities: readonly string[];
  /** Those that it is told about, in the order of the file. */
  readonly purposes: readonly DestinationPurpose[];
  /** `answer`: it has taken a choice when it answers. `call`: when it says so by a call of its own. */
  readonly acknowledge: 'answer' | 'call';
}

export interface DestinationPurpose {
  readonly code: string;
  /** What the destination calls it. */
  readonly name: string;
  readonly allowedByDefault: boolean;
  readonly legalBasis: Purpose['legal_basis'];
}

type DestinationConfig = Config['consent']['destinations'][number];

export type DestinationWay =
  | { readonly kind: 'webhook'; readonly webhook: NonNullable<DestinationConfig['webhook']> }
  /** A connection of the configuration, or a service that has a client. */
  | { readonly kind: 'system'; readonly system: string }
  | { readonly kind: 'stream'; readonly stream: NonNullable<DestinationConfig['stream']> };

/**
 * What messages to a destination are made of beside people's states. Where it is another one than before, an earlier message would say something
 * else under its id, and the destination knows nobody by the new names.
 */
export function shapeOf({ by, purposes }: Pick<Destination, 'by' | 'purposes'>): string {
  const named = purposes
    .map((one) => [one.code, one.name, one.allowedByDefault, one.legalBasis] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  return sha256Hex(JSON.stringify([whereTo(by), named]));
}

/** An address of a webhook may change without another one being behind it. */
function whereTo(by: DestinationWay): readonly unknown[] {
  switch (by.kind) {
    case 'webhook':
      return [by.kind, by.webhook.ketch ?? null];
    case 'system':
      return [by.kind, by.system];
    case 'stream':
      return [by.kind, by.stream.name, by.stream.subject];
    default:
      return by satisfies never;
  }
}

/** The address that is called, without saying it. */
export function hashedAddress({ by }: Pick<Destination, 'by'>): string {
  return by.kind === 'webhook' ? sha256Hex(by.webhook.url) : '';
}

/** The destinations of a configuration. Throws CONFIG_INVALID. */
export function destinationsOf(
  { organization, consent, streams }: Pick<Config, 'organization' | 'consent' | 'streams'>,
  purposes: readonly Purpose[],
): readonly Destination[] {
  return consent.destinations.map((one) => {
    const where = `consent.destinations ${one.key}`;
    if (one.stream !== undefined && streams.nats === undefined)
      throw new HabeasError('CONFIG_INVALID', `${where}: there is no streams.nats. Name its servers there.`);
    const codes = one.purposes === undefined ? purposes.map(({ code }) => code) : Object.keys(one.purposes);
    const unknown = codes.find((code) => !purposes.some((purpose) => purpose.code === code));
    if (unknown !== undefined || codes.length === 0)
      throw new HabeasError(
        'CONFIG_INVALID',
        `${where}: ${unknown === undefined ? 'there are no purposes' : `there is no purpose ${unknown}`}. Name it in the file of consent.purposes.`,
      );
    const names = Object.values(one.purposes ?? {});
    const shared = names.find((name, at) => names.indexOf(name) < at);
    if (shared !== undefined)
      throw new HabeasError(
        'CONFIG_INVALID',
        `${where}: two purposes have the name ${shared}, so that nobody could tell what is allowed. Give each a name of its own.`,
      );
    return {
      key: one.key,
      organizationId: organization,
      by: wayOf(one),
      identities: one.identities,
      purposes: purposes
        .filter(({ code }) => codes.includes(code))
        .map((purpose) => ({
          code: purpose.code,
          name: one.purposes?.[purpose.code] ?? purpose.code,
          allowedByDefault: allowedByDefault(purpose),
          legalBasis: purpose.legal_basis,
        })),
      acknowledge: one.acknowledge,
    };
  });
}

function wayOf({ webhook, system, stream }: DestinationConfig): DestinationWay {
  if (webhook !== undefined) return { kind: 'webhook', webhook };
  if (system !== undefined) return { kind: 'system', system };
  if (stream !== undefined) return { kind: 'stream', stream };
  throw new HabeasError('INTERNAL', 'A destination has no way to it.');
}
