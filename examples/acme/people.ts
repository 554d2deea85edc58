import { CULTURES, type Name } from './people/cultures.ts';
import { createPrng, type Prng } from './people/prng.ts';

/** One invented customer of Acme. Domains, addresses and numbers are those reserved for examples. */
export interface Person {
  /** 0 for the first. */
  readonly n: number;
  /** Acme's own name of the person: `usr_000042`. */
  readonly userId: string;
  readonly givenName: string;
  readonly familyName: string;
  /** In the order of their language. */
  readonly name: string;
  /** What they sign in with. */
  readonly email: string;
  /** A second e-mail address that they gave the mailer; only `accounts` knows that both are one person. */
  readonly newsEmail: string | undefined;
  readonly phone: string;
  /** ISO 8601 date. */
  readonly birthDate: string;
  readonly home: Home;
  /** BCP 47. */
  readonly language: string;
  /** From 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 or 2001:db8::/32 (RFC 5737, RFC 3849). */
  readonly ip: string;
  /** The day on which they became a customer, ISO 8601. */
  readonly since: string;
}

/** A postal address. */
export interface Home {
  readonly street: string;
  readonly city: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

/** The seed of everything that Acme stores: the same seed, the same company. */
export const SEED = 20_26;

/** How many people Acme has unless told otherwise. */
export const DEFAULT_PEOPLE = 2_000;

/** What is drawn from one person's numbers; each its own stream, so that a change in one leaves the others alone. */
export const STREAM = { person: 1, shop: 2, support: 3, mail: 4, events: 5, account: 6, choices: 7 } as const;

/** Person `n`, made without the others: it does not depend on how many there are. */
export function person(n: number): Person {
  const prng = createPrng(SEED, STREAM.person, n);
  const culture = prng.pick(CULTURES);
  const given = prng.pick(culture.given);
  const family = prng.pick(culture.family);
  const email = emailOf({ n, given, family, prng });
  return {
    n,
    userId: userIdOf(n),
    givenName: given[0],
    familyName: family[0],
    name: culture.familyFirst ? `${family[0]} ${given[0]}` : `${given[0]} ${family[0]}`,
    email,
    newsEmail: n % 7 === 3 ? `${given[1]}.${n}@news.example.net` : undefined,
    phone: culture.phone(prng.int(1_000_000)),
    birthDate: dateOf(Date.UTC(1940, 0, 1), prng.int(67 * 365)),
    home: {
      street: culture.street((n % 250) + 1),
      city: prng.pick(culture.cities),
      country: culture.country,
    },
    language: culture.language,
    ip: ipOf(n, prng),
    since: dateOf(Date.UTC(2021, 0, 1), prng.int(4 * 365)),
  };
}

/** The first `count` people, one after the other. */
export function* people(count: number): Generator<Person, void, void> {
  for (let n = 0; n < count; n += 1) yield person(n);
}

export function userIdOf(n: number): string {
  return `usr_${String(n).padStart(6, '0')}`;
}

/** `days` after `start` (milliseconds since 1970), as an ISO 8601 date. */
export function dateOf(start: number, days: number): string {
  return new Date(start + days * 86_400_000).toISOString().slice(0, 10);
}

interface EmailParts {
  readonly n: number;
  readonly given: Name;
  readonly family: Name;
  readonly prng: Prng;
}

/**
 * Unique by `n`. Most are plain; the others are what real mailboxes hold and careless code breaks on:
 * sub-addresses, apostrophes, quoted local parts with spaces and quotes (RFC 5321 §4.1.2), and Unicode (RFC 6531).
 */
function emailOf({ n, given, family, prng }: EmailParts): string {
  const plain = `${given[1]}.${family[1]}.${n}`;
  switch (prng.int(24)) {
    case 0:
      return `${plain}+shop@example.org`;
    case 1:
      return `"${given[1]} ${n}"@example.com`;
    case 2:
      return `"${given[1]} \\"the ${n}\\""@example.com`;
    case 3:
      return `${given[0].normalize('NFC').replaceAll(/[\s']/g, '')}.${n}@example.org`;
    case 4:
      return `${given[1]}.${n}@bücher.example`;
    default:
      return `${plain}@example.com`;
  }
}

function ipOf(n: number, prng: Prng): string {
  if (n % 3 === 0) return `2001:db8:${hex(n / 10_000)}:${hex(n % 10_000)}::1`;
  return `${prng.pick(['192.0.2', '198.51.100', '203.0.113'])}.${1 + prng.int(254)}`;
}

function hex(part: number): string {
  return (Math.floor(part) + 1).toString(16);
}
