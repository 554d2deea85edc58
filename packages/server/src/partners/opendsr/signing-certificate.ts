import { createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Clock, HabeasError } from '../../foundation/index.ts';

/** What signs answers and callbacks of OpenDSR 2.0 (§4). */
export interface SigningCertificate {
  /** RSA (PKCS #1 v1.5, FIPS 186-4) over SHA-256 of the body, in base64. Throws UNAVAILABLE when the certificate cannot be used now. */
  sign(body: string): string;
  /** The certificate and those of its authorities, for whoever checks signatures. Throws like {@link sign}. */
  pem(): string;
  /** How it is doing, for a person. */
  examine(): CertificateFinding;
}

export interface CertificateFinding {
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly finding: string;
}

export interface SigningCertificateOptions {
  readonly domain: string;
  /** Relative to the folder. */
  readonly certificate: string;
  readonly key: string;
  readonly folder: string;
  readonly clock: Clock;
}

interface Loaded {
  readonly pem: string;
  readonly chain: readonly X509Certificate[];
  readonly key: KeyObject;
}

const SMALLEST_RSA_BITS = 2_048;
/** A certificate that is renewed in place is taken up within this time. */
const RELOAD_MILLISECONDS = 60_000;
const SOON_MILLISECONDS = 21 * 86_400_000;

/** Reads its files when they are needed, and again when they may have been renewed: a bad certificate must not stop the server. */
export function createSigningCertificate(options: SigningCertificateOptions): SigningCertificate {
  const { clock, domain } = options;
  let loaded: { readonly at: number; readonly result: Loaded | HabeasError } | undefined;

  function current(): Loaded {
    const now = clock.now().getTime();
    if (loaded === undefined || now - loaded.at >= RELOAD_MILLISECONDS || now < loaded.at) {
      loaded = { at: now, result: attempt(() => load(options)) };
    }
    if (loaded.result instanceof HabeasError) throw loaded.result;
    const problem = problemOf(loaded.result, { domain, now: clock.now() });
    if (problem !== undefined) throw unusable(problem);
    return loaded.result;
  }

  return {
    sign: (body) => sign('sha256', Buffer.from(body), current().key).toString('base64'),
    pem: () => current().pem,
    examine() {
      const result = attempt(current);
      if (result instanceof HabeasError) return { verdict: 'fail', finding: result.message };
      const [leaf] = result.chain;
      const until = new Date(leaf?.validTo ?? 0);
      const finding = `The certificate for ${domain} is valid until ${until.toISOString()}.`;
      if (leaf !== undefined && leaf.subject === leaf.issuer) {
        return {
          verdict: 'warn',
          finding: `${finding} It is self-signed; OpenDSR (§4.1) wants one of a certificate authority, and controllers will refuse it.`,
        };
      }
      if (until.getTime() - clock.now().getTime() < SOON_MILLISECONDS) {
        return { verdict: 'warn', finding: `${finding} Renew it.` };
      }
      return { verdict: 'ok', finding };
    },
  };
}

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

function load(options: SigningCertificateOptions): Loaded {
  const read = (what: 'certificate' | 'key') => {
    const file = resolve(options.folder, options[what]);
    try {
      return readFileSync(file, 'utf8');
    } catch (cause) {
      throw unusable(`${file} cannot be read (partners.opendsr.${what})`, cause);
    }
  };
  const pem = read('certificate').match(PEM)?.join('\n');
  if (pem === undefined) throw unusable('partners.opendsr.certificate is not PEM');
  try {
    const chain = (pem.match(PEM) ?? []).map((one) => new X509Certificate(one));
    return { pem: `${pem}\n`, chain, key: createPrivateKey(read('key')) };
  } catch (cause) {
    if (cause instanceof HabeasError) throw cause;
    throw unusable('partners.opendsr.certificate or its key cannot be parsed', cause);
  }
}

function problemOf(
  { chain, key }: Loaded,
  at: { readonly domain: string; readonly now: Date },
): string | undefined {
  const [leaf] = chain;
  if (leaf === undefined) return 'there is no certificate in the file';
  if (leaf.publicKey.asymmetricKeyType !== 'rsa') return 'its key is not RSA, which OpenDSR signs with';
  const bits = leaf.publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < SMALLEST_RSA_BITS) return `its key has ${bits} bits; ${SMALLEST_RSA_BITS} are needed`;
  if (!leaf.checkPrivateKey(key)) return 'partners.opendsr.key is not the key of the certificate';
  if (leaf.checkHost(at.domain, { subject: 'never' }) === undefined)
    return `it is not issued for ${at.domain}`;
  if (new Date(leaf.validFrom) > at.now)
    return `it is valid only from ${new Date(leaf.validFrom).toISOString()} on`;
  if (new Date(leaf.validTo) <= at.now) return `it has expired at ${new Date(leaf.validTo).toISOString()}`;
  const broken = chain.findIndex((one, index) => {
    const issuer = chain[index + 1];
    return issuer !== undefined && !(one.checkIssued(issuer) && one.verify(issuer.publicKey));
  });
  return broken < 0 ? undefined : `certificate ${broken + 2} of the file did not issue the one before it`;
}

function attempt<Result>(make: () => Result): Result | HabeasError {
  try {
    return make();
  } catch (error) {
    return HabeasError.from(error);
  }
}

function unusable(what: string, cause?: unknown): HabeasError {
  return new HabeasError(
    'UNAVAILABLE',
    `OpenDSR answers cannot be signed: ${what}. Look at \`habeas doctor\`.`,
    {
      cause,
      retryable: true,
    },
  );
}
