import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksPersonal } from './looks-personal.ts';

describe('looksPersonal', () => {
  it.each([
    ['ada@example.org', 'an e-mail address'],
    ['to:"Ada" <ada@example.org>', 'an e-mail address'],
    ['ada%40example.org', 'an e-mail address'],
    ['ada＠example.org', 'an e-mail address'],
    ['192.0.2.7', 'an IP address'],
    ['db-192.0.2.7-main', 'an IP address'],
    ['2001:db8::1', 'an IP address'],
    ['host=[2001:db8:0:0:0:0:0:1]', 'an IP address'],
    ['3f2504e0-4f89-11d3-9a0c-0305e82c3301', 'a UUID'],
    ['user-3F2504E04F8911D39A0C0305E82C3301', 'a UUID'],
    ['00:1b:44:11:3a:b7', 'a device address'],
    ['user 4159265', 'a long number'],
    ['+47 22 33 44 55 66', 'a long number'],
    ['4111-1111-1111-1111', 'a long number'],
    ['(030) 901 820 11', 'a long number'],
  ])('refuses %s', (value, kind) => {
    expect(looksPersonal(value)).toBe(kind);
  });

  it.each([
    'ip',
    'name',
    'user.contact.email',
    'orders',
    'payments/api',
    'svc:orders',
    'std::map',
    'orders-2026-01-15',
    'v1.2.3',
    'shard-000123',
    'k8s_prod_eu-west-1',
    'Dvořák Müller Dienst',
    '@orders',
    'a1b2c3d4',
  ])('takes %s', (value) => {
    expect(looksPersonal(value)).toBeUndefined();
  });

  it('finds any IP address and any UUID inside other text', () => {
    const around = fc.stringMatching(/^[ =/(]?$/);
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.uuid(), fc.emailAddress()), around, (text, border) => {
        expect(looksPersonal(`x${border || ' '}${text}${border || ' '}y`)).toBeDefined();
      }),
    );
  });

  it('answers quickly whatever the text', () => {
    const started = performance.now();
    for (const text of ['1 '.repeat(100), '1-'.repeat(100), ':'.repeat(200), '%'.repeat(200)]) {
      for (let turn = 0; turn < 1_000; turn += 1) looksPersonal(text);
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
