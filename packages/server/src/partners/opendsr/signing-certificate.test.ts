import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ELLIPTIC_CERTIFICATE,
  ELLIPTIC_KEY,
  EXPIRED_CERTIFICATE,
  OTHER_HOST_CERTIFICATE,
  OTHER_PARTNER_KEY,
  PARTNER_CA,
  PARTNER_CERTIFICATE,
  PARTNER_KEY,
  SELF_SIGNED_CERTIFICATE,
} from '../../../test/partner-certificates.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createSigningCertificate } from './signing-certificate.ts';

function folderWith(certificate: string | undefined, key: string | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-certificate-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  if (certificate !== undefined) writeFileSync(join(folder, 'chain.pem'), certificate);
  if (key !== undefined) writeFileSync(join(folder, 'key.pem'), key);
  return folder;
}

const made = (folder: string, clock = fixedClock('2026-03-01T12:00:00Z')) =>
  createSigningCertificate({
    domain: 'dsr.acme.example',
    certificate: 'chain.pem',
    key: 'key.pem',
    folder,
    clock,
  });

describe('the certificate that signs OpenDSR answers', () => {
  it.each([
    [
      'with its authority behind it is good',
      `${PARTNER_CERTIFICATE}${PARTNER_CA}`,
      PARTNER_KEY,
      'ok',
      'valid until 2120',
    ],
    ['that is not there cannot be used', undefined, PARTNER_KEY, 'fail', 'chain.pem cannot be read'],
    ['without its key cannot be used', PARTNER_CERTIFICATE, undefined, 'fail', 'key.pem cannot be read'],
    ['that is no PEM cannot be used', 'hello', PARTNER_KEY, 'fail', 'not PEM'],
    ['that has expired cannot be used', EXPIRED_CERTIFICATE, PARTNER_KEY, 'fail', 'expired at 2021-01-01'],
    [
      'of another host cannot be used',
      OTHER_HOST_CERTIFICATE,
      PARTNER_KEY,
      'fail',
      'not issued for dsr.acme.example',
    ],
    [
      'of another key cannot be used',
      PARTNER_CERTIFICATE,
      OTHER_PARTNER_KEY,
      'fail',
      'not the key of the certificate',
    ],
    ['that is not RSA cannot be used', ELLIPTIC_CERTIFICATE, ELLIPTIC_KEY, 'fail', 'not RSA'],
    [
      'with something else behind it cannot be used',
      `${PARTNER_CERTIFICATE}${SELF_SIGNED_CERTIFICATE}`,
      PARTNER_KEY,
      'fail',
      'did not issue',
    ],
    ['that is self-signed is doubtful', SELF_SIGNED_CERTIFICATE, PARTNER_KEY, 'warn', 'self-signed'],
  ] as const)('%s', (_, certificate, key, verdict, words) => {
    const signing = made(folderWith(certificate, key));
    expect(signing.examine()).toEqual({ verdict, finding: expect.stringContaining(words) });
    if (verdict === 'fail')
      expect(() => signing.sign('')).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  });

  it('says in time that it ends, and stops signing when it has', () => {
    const clock = fixedClock('2119-12-20T00:00:00Z');
    const signing = made(folderWith(PARTNER_CERTIFICATE, PARTNER_KEY), clock);
    expect(signing.examine()).toEqual({ verdict: 'warn', finding: expect.stringContaining('Renew it') });
    expect(signing.sign('body')).toMatch(/^[A-Za-z0-9+/]+=*$/);
    clock.advance(13 * 86_400_000);
    expect(() => signing.sign('body')).toThrow('has expired');
  });

  it('that is renewed in place is taken up within a minute', () => {
    const clock = fixedClock('2026-03-01T12:00:00Z');
    const folder = folderWith(EXPIRED_CERTIFICATE, PARTNER_KEY);
    const signing = made(folder, clock);
    expect(signing.examine().verdict).toBe('fail');
    writeFileSync(join(folder, 'chain.pem'), PARTNER_CERTIFICATE);
    clock.advance(60_000);
    expect(signing.examine().verdict).toBe('ok');
  });
});
