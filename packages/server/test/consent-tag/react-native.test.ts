import { createConsent } from '@habeas/consent';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireReactNative } from '../requirements.ts';
import { answerOf, buildReactNativeApp, type End, type ReactNativeApp, type Step } from './react-native.ts';
import { openTagServer, type TagServer } from './tag-server.ts';

const folder = requireReactNative();
const NOW = '2026-06-01T12:00:00.000Z';
const CODES = ['shop', 'analytics', 'advertising', 'sale'];

describe.skipIf(folder === undefined)(
  'consent in an app that React Native’s packager built, in Hermes',
  () => {
    let site: TagServer;
    let app: ReactNativeApp;

    beforeAll(async () => {
      site = await openTagServer(NOW);
      app = await buildReactNativeApp(folder ?? '');
    });

    afterAll(async () => {
      await site?.[Symbol.asyncDispose]();
    });

    const given = (idsFrom: string, steps: readonly Step[], before?: End) => ({
      server: site.url,
      now: NOW,
      codes: CODES,
      idsFrom: idsFrom.padEnd(16, '-'),
      steps,
      items: before?.items ?? {},
    });

    it('asks, keeps what was said and tells the server, who else is signed in knows it, and it is there after a restart', async () => {
      const token = await site.tokenOf('on a telephone');
      const first = await app.run(
        given('first', [{ choose: { analytics: true, advertising: false } }, { identify: token }]),
      );
      const { items, ...rest } = first;
      expect(rest).toEqual({
        asked: true,
        asks: false,
        language: 'en',
        said: { analytics: true, advertising: false },
        allowed: ['shop', 'analytics', 'sale'],
        errors: [],
      });
      expect(Object.keys(items)).toHaveLength(1);

      const other = createConsent({ server: site.url, now: () => new Date(NOW) });
      await other.ready;
      await other.identify(token);
      expect(other.said).toEqual({ analytics: true, advertising: false });

      const again = await app.run(given('again', [], first));
      expect([again.asked, again.said, again.errors]).toEqual([false, rest.said, []]);
      await other.choose({ sale: false });
      await other.send();
      const third = await app.run(given('third', [{ identify: token }], again));
      expect(third.said).toEqual({ analytics: true, advertising: false, sale: false });
    });

    it('keeps what was said without a network, and sends it once there is one', async () => {
      const withNotice = await app.run(given('away', []));
      expect([withNotice.asked, withNotice.items]).toEqual([true, {}]);
      let calls = 0;
      // The notice is there; then nothing is.
      const away = await app.run(given('away', [{ choose: { analytics: false } }]), async (call) => {
        calls += 1;
        return calls === 1 ? answerOf(call) : 'no network';
      });
      expect([calls, away.said]).toEqual([3, { analytics: false }]);
      expect(away.errors).toEqual(Array(2).fill('TypeError: Network request failed'));
      expect(outboxOf(away)).toHaveLength(1);
      const stillAway = await app.run(given('later', [], away), async () => 'no network');
      expect([stillAway.said, stillAway.allowed, outboxOf(stillAway)]).toEqual([
        { analytics: false },
        away.allowed,
        outboxOf(away),
      ]);
      const back = await app.run(given('back', [], stillAway));
      expect([back.said, back.errors, outboxOf(back)]).toEqual([{ analytics: false }, [], []]);
    });

    it('says what the server refuses', async () => {
      const end = await app.run(given('stranger', [{ identify: 'not.a.token' }]));
      expect(end.errors).toEqual(['Error: Habeas answers 401.']);
    });
  },
);

const outboxOf = ({ items }: End): readonly unknown[] =>
  JSON.parse(items['habeas-consent'] ?? '{ "outbox": [] }').outbox;
