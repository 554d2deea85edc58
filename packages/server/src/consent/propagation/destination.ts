import { type Config, HabeasError } from '../../foundation/index.ts';
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
