import { Registry } from '@prometheus-io/client';
import fc from 'fast-check';
import { Registry as OlderRegistry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { startService } from '../test/service.ts';
import { type DeclareOptions, declare } from './index.ts';

const OPTIONS: DeclareOptions = {
  team: 'data',
  service: 'sentinel',
  stores: ['ip', 'email', 'ip'],
  transmits: { hammer: ['ip'], mailer: ['email', 'name'] },
  client: { address: 'pd-client.data.svc:1337' },
};

const LINES = [
  'store{team="data",service="sentinel",data_type="ip"} 1',
  'store{team="data",service="sentinel",data_type="email"} 1',
  'transmit{team="data",service="sentinel",to_service="hammer",data_type="ip"} 1',
  'transmit{team="data",service="sentinel",to_service="mailer",data_type="email"} 1',
  'transmit{team="data",service="sentinel",to_service="mailer",data_type="name"} 1',
  'client{team="data",service="sentinel",address="pd-client.data.svc:1337",protocol="grpc"} 1',
];

const samples = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('a declaration', () => {
  it('is text with a line for each thing that the service does', () => {
    expect(samples(declare(OPTIONS).metrics())).toEqual(LINES);
    expect(declare({ team: 'data', service: 'idle' }).metrics()).toBe('');
  });

  it.each([
    ['@prometheus-io/client', () => new Registry()],
    ['prom-client', () => new OlderRegistry()],
  ])('is on the page of a registry of %s, after a reset too', async (_, create) => {
    const registry = create();
    declare({ ...OPTIONS, registry });
    expect(samples(await registry.metrics())).toEqual(LINES);
    registry.resetMetrics();
    expect(samples(await registry.metrics())).toEqual(LINES);
    expect(await registry.metrics()).toContain('# TYPE store gauge');
    expect(() => declare({ ...OPTIONS, registry })).toThrow('already');
  });

  it('escapes what the format gives a meaning', () => {
    const { metrics } = declare({ team: 'a"b', service: 'c\\d', stores: ['e\nf'] });
    expect(samples(metrics())).toEqual(['store{team="a\\"b",service="c\\\\d",data_type="e\\nf"} 1']);
  });

  it('refuses values that look like personal data, and does not repeat them', () => {
    const personal = [
      'ada@example.org',
      'mail to ada@example.org now',
      '192.0.2.7',
      'host 10.0.0.1',
      '2001:db8::1',
      '[2001:db8::1]',
      '::ffff:1.2.3.4',
      'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
      'user-F81D4FAE7DEC11D0A76500A0C91E6BF6',
      '00:1b:44:11:3a:b7',
      'user 4159265',
      '+47 22 33 44 55 66',
      'ada%40example.org',
      'name@work',
    ];
    for (const value of personal) {
      const ways: DeclareOptions[] = [
        { ...OPTIONS, stores: [value] },
        { ...OPTIONS, transmits: { hammer: [value] } },
        { ...OPTIONS, transmits: { [value]: ['ip'] } },
        { ...OPTIONS, team: value },
        { ...OPTIONS, service: value },
      ];
      for (const options of ways) {
        const attempt = () => declare(options);
        expect(attempt, value).toThrow(/looks like/);
        expect(attempt, value).not.toThrow(value);
      }
    }
  });

  it('refuses what is no name at all, and addresses that are none', () => {
    expect(() => declare({ ...OPTIONS, stores: [''] })).toThrow('1 to 200 characters');
    expect(() => declare({ ...OPTIONS, team: 'x'.repeat(201) })).toThrow('1 to 200 characters');
    for (const address of ['', 'host', 'http://host:80', 'host:80/path', 'ada@host:80', 'host:port']) {
      expect(() => declare({ ...OPTIONS, client: { address } })).toThrow('host:port');
    }
    const personal = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6.svc:80';
    expect(() => declare({ ...OPTIONS, client: { address: personal } })).toThrow('looks like a UUID');
    declare({ ...OPTIONS, client: { address: 'host-4159265.svc:80' } });
  });

  it('takes ordinary names of data types', () => {
    const name = fc.stringMatching(/^[a-z]{2,12}(_[a-z]{2,12}){0,2}$/);
    fc.assert(fc.property(name, (stores) => void declare({ ...OPTIONS, stores: [stores] })));
    declare({ ...OPTIONS, stores: ['v1.2.3', 'sha-256', 'orders-2026-01-15', 'deadbeef'] });
  });

  it('is served on the port of the service, without a token', async () => {
    const service = await startService({ declared: declare(OPTIONS) });
    const response = await fetch(`${service.url}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(samples(await response.text())).toEqual(LINES);
  });
});
