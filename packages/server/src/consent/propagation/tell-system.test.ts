import { expect, it } from 'vitest';
import { connectorTo, startService } from '../../../test/pd-service.ts';
import type { ToldPurpose } from './consent-message.ts';
import { tellSystem } from './tell-system.ts';

/** A service that keeps what people object to, and a connector to it. */
async function start(protocol: 'grpc' | 'http') {
  const objections = new Set<string>();
  const calls: string[] = [];
  const port = await startService({
    object: {
      check: () => ({ counts: {} }),
      change({ kind, purposes, lift, values }) {
        calls.push(`${kind} ${purposes.join(' ')} ${lift ? 'lifted' : 'set'} ${values('email').join()}`);
        for (const purpose of purposes) {
          if (lift) objections.delete(purpose);
          else objections.add(purpose);
        }
        return { counts: { profiles: 1 } };
      },
    },
  });
  const connector = connectorTo(port, { protocol });
  return { connector, objections, calls };
}

const purpose = (name: string, allowed: boolean): ToldPurpose => ({
  code: name,
  name,
  allowed,
  said: allowed,
  wasRefused: false,
  allowedByDefault: false,
  legalBasis: 'consent',
});

it.each(['grpc', 'http'] as const)(
  'calls Object of a service by %s, once for each state',
  async (protocol) => {
    const { connector, objections, calls } = await start(protocol);
    const tell = (id: string, purposes: readonly ToldPurpose[]) =>
      tellSystem(connector, {
        system: 'crm',
        organizationId: 'acme',
        purposes,
        signal: AbortSignal.timeout(10_000),
        delivery: {
          subject: 1,
          version: '1',
          id,
          known: 0n,
          granted: 0n,
          refused: 0n,
          saidAt: null,
          madeAt: new Date(),
          tries: 0,
          operations: {},
          identities: [{ type: 'email', value: 'ada@example.org' }],
        },
      });
    const first = [purpose('stats', true), purpose('ads', false), purpose('mail', false)];
    expect(await tell('a', first)).toEqual({ operations: {}, retryAfterSeconds: 0 });
    expect([...objections]).toEqual(['ads', 'mail']);
    // Its answer was lost, and it is told again.
    await tell('a', first);
    expect(calls).toEqual([
      'objection stats lifted ada@example.org',
      'objection ads mail set ada@example.org',
    ]);
    await tell('b', [purpose('stats', false), purpose('ads', true), purpose('mail', false)]);
    expect([...objections].sort()).toEqual(['mail', 'stats']);
  },
);
