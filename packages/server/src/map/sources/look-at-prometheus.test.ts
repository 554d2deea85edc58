import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLooker, type LookerOptions } from './look-at-prometheus.ts';
import type { PrometheusApi } from './prometheus-api.ts';

interface Moment {
  readonly stores: readonly { readonly type: string; readonly instance: string }[];
  readonly up: Readonly<Record<string, number>>;
}

/** Answers as Prometheus does, with what is there at the moment. */
function apiOf(current: () => Moment): PrometheusApi {
  return {
    async query(query, { onSeries }) {
      const { stores, up } = current();
      if (query.includes('__name__="up"')) {
        for (const [instance, value] of Object.entries(up)) {
          onSeries({ text: JSON.stringify({ job: 'apps', instance }), value });
        }
      } else if (query.includes('store')) {
        for (const { type, instance } of stores) {
          const labels = { __name__: 'store', team: 'data', service: 's', data_type: type };
          onSeries({ text: JSON.stringify({ ...labels, job: 'apps', instance }), value: 1 });
        }
      }
      return { warnings: 0 };
    },
  };
}

const options = (current: () => Moment): LookerOptions => ({
  api: apiOf(current),
  name: 'prod',
  prefix: 'personal_data_',
  matchers: '',
  window: 60_000,
});
const now = { at: new Date(0), signal: new AbortController().signal };

it('sees the same with all that it remembers as without', async () => {
  const moment = fc.record({
    stores: fc.uniqueArray(
      fc.record({
        type: fc.constantFrom('email', 'ip', 'ada@example.org', '__proto__'),
        instance: fc.constantFrom('one:80', 'two:80', 'three:80'),
      }),
      { selector: ({ type, instance }) => `${type} ${instance}` },
    ),
    up: fc.dictionary(fc.constantFrom('one:80', 'two:80', 'three:80'), fc.constantFrom(0, 1)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { maxLength: 8 }), async (moments) => {
      let current: Moment = { stores: [], up: {} };
      const lookAt = createLooker(options(() => current));
      for (const next of moments) {
        // Mostly a look shows what the one before showed, or only targets come and go.
        for (const repeated of [next, next, { ...next, up: { 'two:80': 1 } }, { ...next, up: {} }]) {
          current = repeated;
          const [look, other] = await Promise.all([lookAt(now), lookAt(now)]);
          const fresh = await createLooker(options(() => current))(now);
          expect(sorted(look)).toEqual(sorted(fresh));
          expect(sorted(other)).toEqual(sorted(fresh));
        }
      }
    }),
    { numRuns: 200 },
  );
});

/** The order in which series come says nothing. */
function sorted({ rejections, ...look }: Awaited<ReturnType<ReturnType<typeof createLooker>>>) {
  return { ...look, rejections: new Set(rejections.map(({ message }) => message)) };
}

it('gives the same maps again as long as nothing changed, and other ones when something did', async () => {
  let current: Moment = { stores: [{ type: 'email', instance: 'one:80' }], up: { 'one:80': 1 } };
  const lookAt = createLooker(options(() => current));
  const first = await lookAt(now);
  const same = await lookAt(now);
  expect(same.carried).toBe(first.carried);
  expect(same.declarations).toBe(first.declarations);
  current = { ...current, stores: [{ type: 'ip', instance: 'one:80' }] };
  const changed = await lookAt(now);
  expect([...changed.declarations.values()].map((one) => one.kind === 'store' && one.dataType)).toEqual([
    'ip',
  ]);
});
