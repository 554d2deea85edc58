import { runInNewContext } from 'node:vm';
import { type Consent, type ConsentOptions, createConsent, type KeyValueStorage } from '@habeas/consent';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleCore } from '../../../consent/scripts/bundle.ts';
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
    for (const text of ['', '{', 'null', '[]', '{"said":null}', '{"outbox":[]}']) {
      storage.items.set('habeas-consent', text);
      const consent = await open({ storage });
      expect([consent.mustAsk, said(consent)]).toEqual([true, {}]);
      await consent.choose({ analytics: false });
      expect(said(await open({ storage }))).toEqual({ analytics: false });
    }
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
