import { runInNewContext } from 'node:vm';
import { type Consent, type ConsentOptions, createConsent, type KeyValueStorage } from '@habeas/consent';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleCore } from '../../../consent/scripts/bundle.ts';
import { eventually } from '../eventually.ts';
import { openTagServer, type TagServer } from './tag-server.ts';

const NOW = '2026-06-01T12:00:00.000Z';
const DAY = 86_400_000;

let site: TagServer;
let server: string;
const tokenOf = (user: string) => site.tokenOf(user);

beforeAll(async () => {
  site = await openTagServer(NOW);
  server = site.url;
});

afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

/** As React Native's AsyncStorage: every answer is a promise. */
function slowStorage(): KeyValueStorage & { readonly items: Map<string, string> } {
  const items = new Map<string, string>();
  return {
    items,
    getItem: async (key) => items.get(key) ?? null,
    setItem: async (key, value) => void items.set(key, value),
    removeItem: async (key) => void items.delete(key),
  };
}

/** A network that can be away, or lose what comes back. */
function network() {
  const state = { is: 'there' as 'there' | 'away' | 'loses answers' };
  const call: typeof fetch = async (url, init) => {
    if (state.is === 'away') throw new TypeError('fetch failed');
    const answer = await fetch(url, init);
    if (state.is === 'loses answers') throw new TypeError('fetch failed');
    return answer;
  };
  return { state, fetch: call };
}

async function open(options: Partial<ConsentOptions> = {}): Promise<Consent> {
  const consent = createConsent({ server, now: () => new Date(NOW), ...options });
  await consent.ready;
  return consent;
}

const said = (consent: Consent) => consent.said;

/** Memories that are none. */
const BROKEN = [
  '{"said":null,"outbox":[]}',
  '{"said":{"analytics":null},"outbox":[]}',
  '{"said":"x","outbox":[]}',
  '{"said":{},"outbox":{}}',
  '{"said":{},"outbox":[null]}',
];

describe('consent in Node and React Native, without a DOM', () => {
  let storage: ReturnType<typeof slowStorage>;

  beforeEach(() => {
    storage = slowStorage();
  });

  it('allows what the notice allows, then what was said, also after a restart', async () => {
    const first = await open({ storage });
    const allowed = (consent: Consent) =>
      ['shop', 'analytics', 'sale', 'unknown'].map((code) => consent.allowed(code));
    expect([allowed(first), first.mustAsk]).toEqual([[true, false, true, false], true]);
    expect(storage.items.size).toBe(0);
    let heard = 0;
    const end = first.onChange(() => {
      heard += 1;
    });
    await first.choose({ analytics: true, advertising: false, sale: false });
    expect(heard).toBeGreaterThan(0);
    end();
    expect([allowed(first), first.mustAsk]).toEqual([[true, true, false, false], false]);
    const second = await open({ storage });
    expect([allowed(second), second.mustAsk, second.isKept]).toEqual([
      [true, true, false, false],
      false,
      true,
    ]);
  });

  it('tells everybody who listens, and sends, also when a listener fails', async () => {
    const errors: unknown[] = [];
    const consent = await open({ storage, onError: (error) => errors.push(error) });
    const heard: unknown[] = [];
    consent.onChange(() => {
      throw new Error('of the page');
    });
    consent.onChange(() => heard.push(consent.said.analytics));
    await consent.choose({ analytics: true });
    await consent.send();
    expect(heard.at(-1)).toBe(true);
    expect(errors.map(String)).toContain('Error: of the page');
    expect(JSON.parse(storage.items.get('habeas-consent') ?? '').outbox).toEqual([]);
  });

  it('needs nothing of what surrounds it but what it is given', async () => {
    // There is no DOM, no crypto, no timer, no `URLSearchParams` and nothing of Node: only the language itself.
    const { createConsent: createThere } = runInNewContext(`${await bundleCore('habeas')}; habeas`);
    let ids = 0;
    const start = async () => {
      const consent: Consent = createThere({
        server,
        storage,
        fetch,
        newId: () => {
          ids += 1;
          return `of-the-device-${ids}`.padEnd(20, '0');
        },
        now: () => new Date(NOW),
      });
      await consent.ready;
      return consent;
    };
    const first = await start();
    expect(first.mustAsk).toBe(true);
    await first.choose({ analytics: true, advertising: false });
    await first.identify(await tokenOf('on a telephone'));
    const other = await open({ storage: slowStorage() });
    await other.identify(await tokenOf('on a telephone'));
    expect(said(other)).toEqual({ analytics: true, advertising: false });
    expect((await start()).allowed('analytics')).toBe(true);
  });

  it('asks for the notice in a language and for a region, whatever stands in their names', async () => {
    const asked: string[] = [];
    const call: typeof fetch = async (url, init) => {
      asked.push(`${url}`);
      return fetch(url, init);
    };
    await open({ fetch: call, language: 'de&region=US-CA', region: 'ü/%' });
    await open({ fetch: call });
    const [first = '', second = ''] = asked;
    expect([...new URL(first).searchParams]).toEqual([
      ['language', 'de&region=US-CA'],
      ['region', 'ü/%'],
    ]);
    expect([...new URL(second).searchParams]).toEqual([]);
  });

  it('asks again after the days of the notice, and the old answer holds until then', async () => {
    const first = await open({ storage });
    await first.chooseAll(true);
    await first.send();
    const later = (days: number) => open({ storage, now: () => new Date(Date.parse(NOW) + days * DAY) });
    expect((await later(179)).mustAsk).toBe(false);
    const asked = await later(180);
    expect([asked.mustAsk, asked.allowed('analytics')]).toEqual([true, true]);
  });

  it('lets an agreement expire after the days of the notice, and never a refusal', async () => {
    const later = (days: number, of = storage) =>
      open({ storage: of, now: () => new Date(Date.parse(NOW) + days * DAY) });
    await (await open({ storage })).choose({ analytics: true, advertising: true, sale: false });
    expect((await later(364)).allowed('advertising')).toBe(true);
    const over = await later(365);
    expect([over.allowed('advertising'), over.mustAsk, said(over)]).toEqual([
      false,
      true,
      { analytics: true, sale: false },
    ]);
    const refusing = slowStorage();
    await (await open({ storage: refusing })).chooseAll(false);
    expect(said(await later(10_000, refusing))).toEqual({
      analytics: false,
      advertising: false,
      sale: false,
    });
  });

  it('counts the days from when a person agreed, also on another device that heard of it later', async () => {
    const token = await tokenOf('two devices');
    const early = await open({ storage, now: () => new Date(Date.parse(NOW) - 100 * DAY) });
    await early.identify(token);
    await early.choose({ advertising: true });
    await early.send();
    const other = slowStorage();
    await (await open({ storage: other })).identify(token);
    const after = (days: number) =>
      open({ storage: other, now: () => new Date(Date.parse(NOW) + days * DAY) });
    expect((await after(264)).allowed('advertising')).toBe(true);
    expect((await after(265)).allowed('advertising')).toBe(false);
  });

  it('keeps every choice when the notice cannot be had', async () => {
    const errors: unknown[] = [];
    const first = await open({ storage });
    await first.choose({ analytics: true, sale: false });
    await first.send();
    const away = network();
    away.state.is = 'away';
    const second = await open({ storage, fetch: away.fetch, onError: (error) => errors.push(error) });
    expect(said(second)).toEqual({ analytics: true, sale: false });
    expect([second.allowed('analytics'), second.allowed('sale'), second.allowed('advertising')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(errors).toHaveLength(1);
    // Without anything remembered nothing is allowed, and nobody can choose about what they were not told.
    const nobody = await open({ fetch: away.fetch });
    expect([nobody.allowed('shop'), nobody.allowed('sale'), nobody.mustAsk]).toEqual([false, false, false]);
    await expect(nobody.choose({ analytics: true })).rejects.toThrow('no notice');
    away.state.is = 'there';
    await nobody.send();
    expect([nobody.allowed('shop'), nobody.mustAsk]).toEqual([true, true]);
  });

  it('is right also on a device whose clock is a day ahead', async () => {
    const ahead = new Date(Date.parse(NOW) + DAY);
    const consent = await open({ storage, now: () => ahead });
    await consent.choose({ analytics: true });
    await consent.send();
    await consent.identify(await tokenOf('early'));
    const { rows } = await sql<{ said_at: Date }>`select said_at from consent_signals`.execute(site.db);
    expect(rows.every(({ said_at }) => said_at.getTime() <= Date.parse(NOW))).toBe(true);
    const other = await open({ storage: slowStorage() });
    await other.identify(await tokenOf('early'));
    expect(said(other)).toEqual({ analytics: true });
  });

  it('lets a choice stand that was made while an earlier one was on its way', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const late: typeof fetch = async (url, init) => {
      const answer = await fetch(url, init);
      if (init?.method === 'POST') await held;
      return answer;
    };
    const consent = await open({ storage, fetch: late });
    const heard: unknown[] = [];
    await consent.choose({ analytics: true });
    await consent.choose({ analytics: false });
    consent.onChange(() => heard.push(consent.said.analytics));
    letGo();
    await consent.send();
    expect(new Set(heard)).toEqual(new Set([false]));
  });

  it('says what was chosen last as the last, also where the clock stands still or is set back', async () => {
    let time = Date.parse(NOW);
    const consent = await open({ storage, now: () => new Date(time) });
    await consent.identify(await tokenOf('set back'));
    for (const granted of [true, false, true, false]) await consent.choose({ analytics: granted });
    time -= DAY;
    await consent.choose({ analytics: true });
    await consent.send();
    const other = await open({ storage: slowStorage() });
    await other.identify(await tokenOf('set back'));
    expect(said(other)).toEqual({ analytics: true });
  });

  it('treats what somebody else wrote under its key as nothing', async () => {
    for (const text of ['', '{', 'null', '[]', '{"said":null}', '{"outbox":[]}', ...BROKEN]) {
      storage.items.set('habeas-consent', text);
      const consent = await open({ storage });
      expect([consent.mustAsk, said(consent)]).toEqual([true, {}]);
      await consent.choose({ analytics: false });
      expect(said(await open({ storage }))).toEqual({ analytics: false });
    }
  });

  it('holds back what somebody said signed in while their token is gone, and sends what is nobody’s', async () => {
    const token = await tokenOf('whose token expires');
    const bodies: string[] = [];
    let expired = false;
    const expiring: typeof fetch = async (url, init) => {
      const body = `${init?.body}`;
      if (expired && body.includes('identity_token')) return new Response('{}', { status: 401 });
      if (expired && init?.method === 'POST') bodies.push(body);
      return fetch(url, init);
    };
    const consent = await open({ storage, fetch: expiring });
    await consent.identify(token);
    expired = true;
    await consent.choose({ analytics: false });
    await consent.send();
    await consent.choose({ sale: false });
    await consent.send();
    expect(bodies.map((body) => JSON.parse(body).signals[0].choices)).toEqual([{ sale: false }]);
    // Also after a restart, when nobody is signed in yet.
    const restarted = await open({ storage, fetch: expiring });
    await restarted.send();
    expect(bodies).toHaveLength(1);
    expired = false;
    await restarted.identify(token);
    const other = await open({ storage: slowStorage() });
    await other.identify(token);
    expect(said(other)).toEqual({ analytics: false, sale: false });
  });

  it('keeps a newer token when an older one is refused, and asks with it', async () => {
    const token = await tokenOf('with a newer token');
    const elsewhere = await open();
    await elsewhere.identify(token);
    await elsewhere.choose({ advertising: true });
    await elsewhere.send();
    const asked = Promise.withResolvers<void>();
    const late = Promise.withResolvers<void>();
    const held: typeof fetch = async (url, init) => {
      if (`${init?.body}`.includes('expired')) {
        asked.resolve();
        await late.promise;
      }
      return fetch(url, init);
    };
    const consent = await open({ storage, fetch: held });
    const old = consent.identify('expired');
    await asked.promise;
    const fresh = consent.identify(token);
    late.resolve();
    await Promise.all([old, fresh]);
    expect(said(consent)).toEqual({ advertising: true });
  });

  it('stays forgotten when an answer comes afterwards, or a choice is just being stored', async () => {
    const asked = Promise.withResolvers<void>();
    const late = Promise.withResolvers<void>();
    const held: typeof fetch = async (url, init) => {
      const answer = await fetch(url, init);
      if (init?.method === 'POST') {
        asked.resolve();
        await late.promise;
      }
      return answer;
    };
    const consent = await open({ storage, fetch: held });
    await consent.choose({ analytics: true });
    await asked.promise;
    await consent.forget();
    late.resolve();
    await consent.send();
    expect([said(consent), consent.mustAsk, storage.items.size]).toEqual([{}, true, 0]);
    const choosing = consent.choose({ analytics: true });
    await consent.forget();
    await choosing;
    await consent.send();
    expect([said(consent), storage.items.size]).toEqual([{}, 0]);
  });

  it('sends what is unsent once more when it forgets, and forgets without a network all the same', async () => {
    const token = await tokenOf('who signs out');
    const { state, fetch: call } = network();
    const consent = await open({ storage, fetch: call });
    await consent.identify(token);
    state.is = 'away';
    await consent.choose({ analytics: true });
    await consent.send();
    state.is = 'there';
    await consent.forget();
    expect(storage.items.size).toBe(0);
    const other = await open();
    await eventually('sent', async () => {
      await other.identify(token);
      return other.said.analytics === true;
    });
    state.is = 'away';
    await consent.choose({ analytics: false });
    await consent.forget();
    expect([said(consent), storage.items.size]).toEqual([{}, 0]);
  });

  it('keeps the order of what was said in the future, when the clock is set right before it is sent', async () => {
    const token = await tokenOf('in the future');
    const { state, fetch: call } = network();
    let time = Date.parse(NOW) + DAY;
    let left = 100;
    // The later has the smaller id, which the server goes by for what was said in the same millisecond.
    const newId = () => {
      left -= 1;
      return `${left}`.padStart(20, '0');
    };
    const consent = await open({ storage, fetch: call, newId, now: () => new Date(time) });
    await consent.identify(token);
    state.is = 'away';
    await consent.choose({ analytics: true });
    await consent.choose({ analytics: false });
    time -= DAY;
    state.is = 'there';
    await consent.send();
    const other = await open();
    await other.identify(token);
    expect([said(other), said(consent)]).toEqual([{ analytics: false }, { analytics: false }]);
  });

  it('does not bring an old yes back where storage is full', async () => {
    let isFull = (_items: ReadonlyMap<string, string>) => false;
    const limited: KeyValueStorage = {
      ...storage,
      setItem(key, value) {
        if (isFull(storage.items)) throw new Error('QuotaExceededError');
        storage.items.set(key, value);
      },
    };
    const consent = await open({ storage: limited });
    await consent.choose({ analytics: true });
    await consent.send();
    // Full with the old value: there is room without it.
    isFull = (items) => items.size > 0;
    await consent.choose({ analytics: false });
    expect([consent.isKept, said(await open({ storage }))]).toEqual([true, { analytics: false }]);
    isFull = () => false;
    await consent.choose({ analytics: true });
    await consent.send();
    isFull = () => true;
    await consent.choose({ analytics: false });
    expect([consent.isKept, consent.said.analytics]).toEqual([false, false]);
    expect(said(await open({ storage }))).toEqual({});
  });

  it('drops only the choice that can never be taken', async () => {
    const token = await tokenOf('of a bad choice');
    const { state, fetch: call } = network();
    const errors: unknown[] = [];
    const consent = await open({ storage, fetch: call, onError: (error) => errors.push(error) });
    await consent.identify(token);
    state.is = 'away';
    await consent.choose({ analytics: true });
    await consent.choose({ ['longer than codes are '.repeat(4)]: true });
    await consent.choose({ sale: false });
    await consent.send();
    errors.length = 0;
    state.is = 'there';
    await consent.send();
    expect(errors.map(String)).toEqual(['Error: Habeas answers 400.']);
    expect(JSON.parse(storage.items.get('habeas-consent') ?? '').outbox).toEqual([]);
    const other = await open();
    await other.identify(token);
    expect(said(other)).toEqual({ analytics: true, sale: false });
  });

  it('does not take what the device said by itself for what the person says', async () => {
    const token = await tokenOf('who refused elsewhere');
    const first = await open({ storage });
    await first.choose({ analytics: true });
    await first.identify(token);
    const other = await open();
    await other.identify(token);
    await other.choose({ analytics: false });
    await other.send();
    await first.identify(token);
    // On the next page, before it is known who is signed in.
    const next = await open({ storage });
    await next.choose({ sale: false });
    await next.send();
    expect(said(next)).toEqual({ analytics: false, sale: false });
  });

  it('stays forgotten when another tab was just being answered', async () => {
    const token = await tokenOf('with two tabs');
    const elsewhere = await open();
    await elsewhere.identify(token);
    await elsewhere.choose({ analytics: true });
    await elsewhere.send();
    const asked = Promise.withResolvers<void>();
    const late = Promise.withResolvers<void>();
    const held: typeof fetch = async (url, init) => {
      const answer = await fetch(url, init);
      if (`${init?.body}`.includes(token)) {
        asked.resolve();
        await late.promise;
      }
      return answer;
    };
    const one = await open({ storage });
    await one.choose({ sale: false });
    const other = await open({ storage, fetch: held });
    const identifying = other.identify(token);
    await asked.promise;
    await one.forget();
    late.resolve();
    await identifying;
    expect([said(other), storage.items.size]).toEqual([{}, 0]);
    // Nobody is signed in there any more either: this is not theirs.
    await other.choose({ sale: true });
    await other.send();
    expect(await elsewhere.identify(token).then(() => said(elsewhere))).toEqual({
      analytics: true,
      sale: false,
    });
  });

  it('stays forgotten when the notice of another tab was just on its way', async () => {
    const one = await open({ storage });
    await one.choose({ analytics: true });
    await one.send();
    const asked = Promise.withResolvers<void>();
    const late = Promise.withResolvers<void>();
    const held: typeof fetch = async (url, init) => {
      asked.resolve();
      await late.promise;
      return fetch(url, init);
    };
    const other = createConsent({ server, storage, fetch: held, now: () => new Date(NOW) });
    await asked.promise;
    await one.forget();
    late.resolve();
    await other.ready;
    expect([said(other), other.mustAsk, storage.items.size]).toEqual([{}, true, 0]);
  });

  it('keeps a choice about a purpose that one of the servers does not know yet, and sends it again', async () => {
    await using newer = await openTagServer(
      NOW,
      '  - { code: research, name: { en: Research }, legal_basis: consent }\n',
    );
    let answering = server;
    const changing: typeof fetch = (url, init) =>
      fetch(`${url}`.replace(newer.url, init?.method === 'POST' ? answering : newer.url), init);
    const consent = await open({ server: newer.url, storage, fetch: changing });
    await consent.choose({ analytics: true });
    await consent.choose({ research: false, sale: false });
    await consent.choose({ unknown: true });
    await consent.send();
    const waiting = () =>
      JSON.parse(storage.items.get('habeas-consent') ?? '').outbox.map(
        ({ choices }: { choices: object }) => choices,
      );
    // What no notice has is a mistake of the page.
    expect(waiting()).toEqual([{ research: false, sale: false }]);
    answering = newer.url;
    const next = await open({ server: newer.url, storage, fetch: changing });
    await next.send();
    expect(waiting()).toEqual([]);
    await next.identify(await newer.tokenOf('of the new purpose'));
    const other = await open({ server: newer.url });
    await other.identify(await newer.tokenOf('of the new purpose'));
    expect(said(other)).toEqual({ research: false, sale: false });
  });

  it('begins the next page with the notice as it is now, also without a network', async () => {
    const research = (basis: string) =>
      openTagServer(NOW, `  - { code: research, name: { en: Research }, legal_basis: ${basis} }\n`);
    await using before = await research('opt_out');
    await using after = await research('consent');
    const first = await open({ server: before.url, storage });
    await first.choose({ analytics: true });
    expect(first.allowed('research')).toBe(true);
    await open({ server: after.url, storage });
    const { state, fetch: call } = network();
    state.is = 'away';
    const next = await open({ server: after.url, storage, fetch: call });
    expect([next.allowed('research'), next.mustAsk]).toEqual([false, true]);
    // Who chose nothing leaves nothing.
    const other = slowStorage();
    await open({ server: after.url, storage: other });
    expect(other.items.size).toBe(0);
  });

  it('says no more in one call than browsers let outlive a page', async () => {
    const { state, fetch: call } = network();
    const sizes: number[] = [];
    const measuring: typeof fetch = (url, init) => {
      if (state.is === 'there' && init?.method === 'POST') sizes.push(`${init.body}`.length);
      return call(url, init);
    };
    const consent = await open({ storage, fetch: measuring });
    const codes = Array.from({ length: 63 }, (_, at) => `p${at}`.padEnd(63, '_'));
    state.is = 'away';
    for (let time = 0; time < 20; time += 1)
      await consent.choose(Object.fromEntries(codes.map((code) => [code, false])));
    await consent.send();
    state.is = 'there';
    await consent.send();
    expect(sizes.length).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64 * 1024);
  });

  it('comes to the latest choice on every device, whatever the network did', async () => {
    const code = fc.constantFrom('analytics', 'advertising', 'sale');
    const step = fc.record({
      device: fc.nat({ max: 1 }),
      act: fc.oneof(
        { weight: 4, arbitrary: fc.dictionary(code, fc.boolean(), { minKeys: 1, maxKeys: 3 }) },
        { weight: 2, arbitrary: fc.constantFrom('away', 'there', 'loses answers') },
        { weight: 2, arbitrary: fc.constantFrom('restart', 'identify', 'send') },
      ),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        run += 1;
        const token = await tokenOf(`person-${run}`);
        let minute = -1_000;
        const now = () => new Date(Date.parse(NOW) + minute * 60_000);
        const want: Record<string, boolean> = {};
        const devices = await Promise.all(
          [0, 1].map(async () => {
            const way = network();
            const options = { storage: slowStorage(), fetch: way.fetch, now };
            return { way, options, consent: await open(options) };
          }),
        );
        for (const { device: at, act } of steps) {
          const device = devices[at];
          if (device === undefined) throw new Error('There is no such device.');
          minute += 1;
          if (act === 'restart') device.consent = await open(device.options);
          else if (act === 'identify') await device.consent.identify(token);
          else if (act === 'send') await device.consent.send();
          else if (typeof act === 'string') device.way.state.is = act as 'away';
          else if (device.consent.notice !== undefined) {
            await device.consent.choose(act);
            Object.assign(want, act);
          }
        }
        for (const { way } of devices) way.state.is = 'there';
        for (const { consent } of [...devices, ...devices]) await consent.identify(token);
        for (const { consent } of devices) expect(said(consent)).toEqual(want);
        const fresh = await open({ now });
        await fresh.identify(token);
        expect(said(fresh)).toEqual(want);
      }),
      { numRuns: 40 },
    );
  });
});
