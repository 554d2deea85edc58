import type { Delivery } from './deliveries.ts';
import type { Destination, DestinationPurpose } from './destination.ts';

/** What a person's state means for one purpose. */
export interface ToldPurpose extends DestinationPurpose {
  /** null: nothing, or nothing that still counts. */
  readonly said: boolean | null;
  readonly allowed: boolean;
  /** Whether the destination was told, or may have been, that it is not allowed. */
  readonly wasRefused: boolean;
}

export function toldPurposes(
  { purposes }: Pick<Destination, 'purposes'>,
  { known, granted, refused }: Pick<Delivery, 'known' | 'granted' | 'refused'>,
  bits: ReadonlyMap<string, number>,
): readonly ToldPurpose[] {
  return purposes.map((purpose) => {
    const bit = bitOf(purpose, bits);
    const said = (known & bit) === 0n ? null : (granted & bit) !== 0n;
    const wasRefused = (refused & bit) !== 0n;
    return { ...purpose, said, allowed: said ?? purpose.allowedByDefault, wasRefused };
  });
}

const bitOf = ({ code }: DestinationPurpose, bits: ReadonlyMap<string, number>) =>
  1n << BigInt(bits.get(code) ?? 63);

/** Of which purposes the destination has noted that they are not allowed, when it has done what this delivery says. */
export function refusedAfter(
  destination: Pick<Destination, 'purposes'>,
  delivery: Pick<Delivery, 'known' | 'granted' | 'refused'>,
  bits: ReadonlyMap<string, number>,
): bigint {
  return toldPurposes(destination, delivery, bits).reduce((all, purpose) => {
    const bit = bitOf(purpose, bits);
    return purpose.allowed ? all & ~bit : all | bit;
  }, delivery.refused);
}

/** The same for every try: receivers compare what comes under one id. */
export function consentMessage(
  { organizationId }: Pick<Destination, 'organizationId'>,
  delivery: Delivery,
  purposes: readonly ToldPurpose[],
): string {
  return JSON.stringify({
    specversion: '1.0',
    id: delivery.id,
    source: `/organizations/${organizationId}`,
    type: 'consent.changed',
    time: delivery.madeAt.toISOString(),
    datacontenttype: 'application/json',
    data: {
      version: Number(delivery.version),
      identities: delivery.identities.map(({ type, value }) => ({ type, value })),
      said_at: delivery.saidAt?.toISOString() ?? null,
      purposes: Object.fromEntries(purposes.map(({ name, said, allowed }) => [name, { said, allowed }])),
    },
  });
}

/** Ketch has no words for the others. */
const KETCH_BASES: Readonly<Record<DestinationPurpose['legalBasis'], string>> = {
  consent: 'consent_optin',
  opt_out: 'consent_optout',
  legitimate_interests: 'other',
  contract: 'other',
  legal_obligation: 'other',
};

export interface KetchProperty {
  readonly property: string;
  readonly environment: string;
  readonly jurisdiction: string;
  /** (Default: the jurisdiction) */
  readonly regulation?: string | undefined;
}

/** The body `consent/v1` of Ketch's forwarder (github.com/ketch-com/ketch-forwarder, api/consent/v1/Consent.md). */
export function ketchMessage(
  { organizationId }: Pick<Destination, 'organizationId'>,
  delivery: Delivery,
  purposes: readonly ToldPurpose[],
  { property, environment, jurisdiction, regulation = jurisdiction }: KetchProperty,
): string {
  return JSON.stringify({
    apiVersion: 'consent/v1',
    kind: 'ConsentRequest',
    metadata: { uid: delivery.id, tenant: organizationId },
    request: {
      property,
      environment,
      regulation,
      jurisdiction,
      identities: delivery.identities.map(({ type, value }) => ({
        identitySpace: type,
        identityFormat: 'raw',
        identityValue: value,
      })),
      purposes: Object.fromEntries(
        purposes.map(({ name, allowed }) => [name, allowed ? 'granted' : 'denied']),
      ),
      legalBasis: Object.fromEntries(purposes.map(({ name, legalBasis }) => [name, KETCH_BASES[legalBasis]])),
      collectedAt: Math.floor((delivery.saidAt ?? delivery.madeAt).getTime() / 1_000),
    },
  });
}
