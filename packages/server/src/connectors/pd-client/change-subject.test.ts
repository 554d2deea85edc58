import { randomUUID } from 'node:crypto';
import { PersonalDataError, type ServePersonalDataOptions } from '@habeas/sdk';
import { describe, expect, it } from 'vitest';
import { connectorTo, startService } from '../../../test/pd-service.ts';
import type { ChangeWork, LocatedScope } from '../connector.ts';

interface Profile {
  email: string;
  city: string | number | boolean | null;
  restricted: boolean;
  objections: string[];
}

/** A service with one person that offers every right, and a connector to it. */
async function start(protocol: 'grpc' | 'http', offers: 'all' | 'none' = 'all') {
  const ada: Profile = { email: 'ada@example.org', city: 'Londn', restricted: false, objections: [] };
  const runs: string[] = [];
  const isAda = (emails: readonly string[]) => emails.includes(ada.email);
  const count = (isDue: boolean) => ({ counts: isDue ? { profiles: 1 } : {} });
  const rights: Pick<ServePersonalDataOptions, 'rectify' | 'restrict' | 'object'> = {
    rectify: {
      check({ values, changes }) {
        const [change] = changes;
        if (change?.to === 'nowhere')
          throw new PersonalDataError('INVALID_VALUE', 'There is no such city.', { retryable: false });
        return count(isAda(values('email')) && change !== undefined && ada.city !== change.to);
      },
      change({ values, changes }) {
        runs.push('rectify');
        const [change] = changes;
        const applies = change?.from === undefined || change.from === ada.city;
        const isDue = isAda(values('email')) && change !== undefined && applies && ada.city !== change.to;
        if (isDue) ada.city = change.to;
        return count(isDue);
      },
    },
    restrict: {
      check: ({ values, lift }) => count(isAda(values('email')) && ada.restricted === lift),
      change({ values, lift }) {
        runs.push('restrict');
        const isDue = isAda(values('email')) && ada.restricted === lift;
        if (isDue) ada.restricted = !lift;
        return count(isDue);
      },
    },
    object: {
      check: () => ({ counts: {} }),
      change({ kind, purposes, lift }) {
        runs.push(`${kind} ${purposes.join(' ')}${lift ? ' lifted' : ''}`);
        return { counts: { profiles: 1 } };
      },
    },
  };
  const port = await startService({
    describe: { dataCategories: ['user.contact'], identitiesNeeded: ['email'], portability: true },
    get: ({ portability }) => [{ collection: 'profiles', row: { portability } }],
    ...(offers === 'all' ? rights : {}),
  });
  const connector = connectorTo(port, { protocol });
  const change = async (
    work: ChangeWork,
    more: Partial<LocatedScope> = {},
    mode: 'change' | 'dry-run' = 'change',
  ) => {
    const outcome = await connector.change?.({ ...scope(), ...more }, work, mode);
    if (outcome?.state !== 'done') throw new Error(`it is ${outcome?.state}`);
    return outcome.evidence;
  };
  return { ada, runs, connector, change };
}

function scope(): LocatedScope {
  return {
    organizationId: 'default',
    requestId: 'req_1',
    idempotencyKey: randomUUID(),
    identities: [{ type: 'email', value: 'ada@example.org' }],
    dueTime: new Date('2030-01-01T00:00:00Z'),
    signal: new AbortController().signal,
    async *keys() {
      // A service finds the person by itself.
    },
  };
}

const city = (to: string | number | boolean | null, from?: string): ChangeWork => ({
  kind: 'rectify',
  changes: [{ target: 'user.contact.address.city', from, to }],
});

describe.each(['grpc', 'http'] as const)('the rights that change, over %s', (protocol) => {
  it('rectify: a dry run counts and changes nothing, the change is made once, and is then found', async () => {
    const { ada, runs, change } = await start(protocol);
    expect((await change(city('London', 'Londn'), {}, 'dry-run')).counts).toEqual({ profiles: 1 });
    expect([ada.city, runs]).toEqual(['Londn', []]);
    const idempotencyKey = randomUUID();
    for (let time = 0; time < 2; time += 1)
      expect(await change(city('London', 'Londn'), { idempotencyKey })).toMatchObject({
        matched: true,
        counts: { profiles: 1 },
      });
    expect([ada.city, runs]).toEqual(['London', ['rectify']]);
    expect((await change(city('London', 'Londn'), {}, 'dry-run')).counts).toEqual({});
  });

  it.each([['Zürich "1"'], [4_711.25], [true], [null]])('rectify: %j comes as it was sent', async (to) => {
    const { ada, change } = await start(protocol);
    await change(city(to));
    expect(ada.city).toBe(to);
  });

  it('rectify: a value that does not fit is told as that, and changes nothing', async () => {
    const { ada, change } = await start(protocol);
    await expect(change(city('nowhere'), {}, 'dry-run')).rejects.toMatchObject({
      code: 'VALUE_INVALID',
      retryable: false,
    });
    expect(ada.city).toBe('Londn');
  });

  it('rectify: the key of one change is refused for another', async () => {
    const { change } = await start(protocol);
    const idempotencyKey = randomUUID();
    await change(city('London'), { idempotencyKey });
    await expect(change(city('Paris'), { idempotencyKey })).rejects.toMatchObject({ code: 'SYSTEM_REFUSED' });
  });

  it('restrict: sets and lifts', async () => {
    const { ada, change } = await start(protocol);
    expect((await change({ kind: 'restrict', effect: 'set' })).counts).toEqual({ profiles: 1 });
    expect(ada.restricted).toBe(true);
    expect((await change({ kind: 'restrict', effect: 'set' }, {}, 'dry-run')).counts).toEqual({});
    await change({ kind: 'restrict', effect: 'lift' });
    expect(ada.restricted).toBe(false);
  });

  it('object: tells which right, which purposes, and that it is taken back', async () => {
    const { runs, change } = await start(protocol);
    const object = { kind: 'object' as const, purposes: [], effect: 'set' as const };
    await change({ ...object, right: 'objection', purposes: ['marketing', 'analytics'] });
    await change({ ...object, right: 'opt_out_of_sale' });
    await change({ ...object, right: 'limit_sensitive_data', effect: 'lift' });
    expect(runs).toEqual([
      'objection analytics marketing',
      'opt_out_of_sale ',
      'limit_sensitive_data  lifted',
    ]);
  });

  it('are described when they are offered, refused when they are not', async () => {
    const all = await start(protocol);
    const { capabilities } = await all.connector.describe(new AbortController().signal);
    expect(capabilities).toEqual(expect.arrayContaining(['rectify', 'restrict', 'object', 'portability']));
    const none = await start(protocol, 'none');
    const few = await none.connector.describe(new AbortController().signal);
    expect(few.capabilities.filter((one) => ['rectify', 'restrict', 'object'].includes(one))).toEqual([]);
    await expect(none.change(city('London'))).rejects.toMatchObject({ code: 'SYSTEM_REFUSED' });
  });

  it('portability: a service that can tell is told', async () => {
    const { connector } = await start(protocol);
    const rows: unknown[] = [];
    for (const sources of ['given', 'all'] as const)
      for await (const step of connector.collect(scope(), sources))
        if (step.state === 'item') rows.push(step.item.row.portability);
    expect(rows).toEqual([true, false]);
  });
});
