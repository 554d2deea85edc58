import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAllowList, formatClientAddress, parseClientAddress } from './client-address.ts';

function normal(text: string): string | undefined {
  const address = parseClientAddress(text);
  return address === undefined ? undefined : formatClientAddress(address);
}

describe('parseClientAddress', () => {
  it.each([
    ['pd-client.data.svc:1337', 'pd-client.data.svc:1337'],
    ['PD-Client:80', 'pd-client:80'],
    ['my_service:65535', 'my_service:65535'],
    ['127.0.0.1:1', '127.0.0.1:1'],
    ['[::1]:8080', '[::1]:8080'],
    ['[2001:0DB8:0:0::1]:8080', '[2001:db8::1]:8080'],
    ['[::ffff:10.0.0.1]:8080', '10.0.0.1:8080'],
  ])('takes %s', (text, expected) => {
    expect(normal(text)).toBe(expected);
  });

  it.each([
    '',
    'host',
    ':80',
    'host:',
    'host:0',
    'host:65536',
    'host:1e3',
    'host:80:80',
    '::1:80',
    'http://host:80',
    'user@host:80',
    'host/path:80',
    'host:80/path',
    'host :80',
    'ho st:80',
    'unix:80:/run/x',
    'unix:/run/x.sock',
    'dns:///host:80',
    'xds:///host:80',
    '127.1:80',
    '2130706433:80',
    '0x7f000001:80',
    '0177.0.0.1:80',
    '256.0.0.1:80',
    'a.1:80',
    'host.:80',
    '-host:80',
    'hôst:80',
    '[::1%eth0]:80',
    '[127.0.0.1]:80',
    '[]:80',
    `${'a.'.repeat(130)}a:80`,
  ])('refuses %s', (text) => {
    expect(parseClientAddress(text)).toBeUndefined();
  });

  it('writes an address in one way, which it takes again', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.ipV6().map((ip) => `[${ip}]`),
          fc.domain(),
        ),
        fc.integer({ min: 1, max: 65_535 }),
        (host, port) => {
          const once = normal(`${host}:${port}`);
          expect(once).toBeDefined();
          expect(normal(once ?? '')).toBe(once);
        },
      ),
    );
  });
});

describe('the allow-list', () => {
  const allows = (entries: readonly string[], text: string): boolean => {
    const address = parseClientAddress(text);
    return address !== undefined && createAllowList(entries)(address);
  };

  it('accepts a host on any port, and a host and port on that port only', () => {
    expect(allows(['pd.data.svc'], 'PD.data.svc:1')).toBe(true);
    expect(allows(['PD.data.svc'], 'pd.data.svc:1')).toBe(true);
    expect(allows(['pd.data.svc:1337'], 'pd.data.svc:1337')).toBe(true);
    expect(allows(['pd.data.svc:1337'], 'pd.data.svc:1338')).toBe(false);
    expect(allows(['data.svc'], 'pd.data.svc:1')).toBe(false);
    expect(allows(['pd.data.svc'], 'pd.data.svc.evil.example:1')).toBe(false);
    expect(allows([], 'pd.data.svc:1')).toBe(false);
  });

  it('accepts IP addresses and ranges, however an address is written', () => {
    expect(allows(['127.0.0.1'], '127.0.0.1:9')).toBe(true);
    expect(allows(['127.0.0.1'], '[::ffff:127.0.0.1]:9')).toBe(true);
    expect(allows(['::1'], '[0:0::1]:9')).toBe(true);
    expect(allows(['[::1]:9'], '[::1]:9')).toBe(true);
    expect(allows(['[::1]:9'], '[::1]:8')).toBe(false);
    expect(allows(['10.0.0.0/8'], '10.255.0.1:9')).toBe(true);
    expect(allows(['10.0.0.0/8'], '11.0.0.1:9')).toBe(false);
    expect(allows(['fd00::/8'], '[fd12::1]:9')).toBe(true);
    expect(allows(['10.0.0.0/8'], '[fd12::1]:9')).toBe(false);
  });

  it('never looks a name up: a range accepts no name', () => {
    expect(allows(['0.0.0.0/0', '::/0'], 'localhost:9')).toBe(false);
  });

  it.each(['', '*', '*.svc', 'http://host', '10.0.0.0/33', '10.0.0/8', 'host:0', '127.1', 'a b'])(
    'refuses the entry "%s"',
    (entry) => {
      expect(() => createAllowList([entry])).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );
});
