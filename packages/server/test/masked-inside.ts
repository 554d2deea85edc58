import { expect } from 'vitest';
import type { Connector } from '../src/connectors/index.ts';
import { erase, located, sum } from './connector-contract.ts';

/** People with JSON in a column. */
export const INSIDE_DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: people
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: profile.name, data_categories: [user.name] }
          - { name: profile.home.city, data_categories: [user.contact.address.city] }
          - { name: profile.nick, data_categories: [user.name], habeas: { mask: { strategy: fixed, value: erased } } }
          - { name: profile.theme, data_categories: [system.operations] }`;

/** What lies in the column → what is left of it. */
const CASES: readonly (readonly [before: string | null, after: unknown])[] = [
  [
    '{"name": "Ann", "theme": "dark", "n": 1.50, "big": 12345678901234567890}',
    '{"theme":"dark","n":1.50,"big":12345678901234567890}',
  ],
  ['{"name": null, "theme": "dark"}', '{"theme":"dark"}'],
  ['{"theme": "dark"}', '{"theme":"dark"}'],
  ['{"home": {"city": "Rome", "zone": 1}, "theme": "dark"}', '{"home":{"zone":1},"theme":"dark"}'],
  ['{"home": [{"city": "Rome"}, {"city": "Oslo"}], "theme": "dark"}', '{"theme":"dark"}'],
  ['{"home": "Rome", "theme": "dark"}', '{"home":"Rome","theme":"dark"}'],
  ['{"a.b": 1, "nick": "Annie", "name": "é"}', '{"a.b":1,"nick":"erased"}'],
  ['{"nick": "ERASED", "theme": "É"}', '{"nick":"erased","theme":"É"}'],
  ['{"nick": ["Annie"]}', '{"nick":"erased"}'],
  // Names that stand twice: what is behind the second could not be reached.
  ['{"name": "Ann", "theme": "dark", "name": "Anna"}', '{}'],
  ['{"nick": "erased", "nick": "Annie"}', '{}'],
  ['{"home": {"zone": 1}, "home": {"city": "Rome"}}', '{}'],
  ['["Ann"]', '{}'],
  ['"Ann"', '{}'],
  [null, null],
];

/** What is no JSON, which a column of JSON does not take. */
export const NO_JSON = [['name: Ann', '{}'] as const];

/**
 * Expects only what is personal to go, and nothing of others to change. `insert` adds a person with such a column of theirs; `profiles` are the
 * columns by id.
 */
export async function expectMaskedInside(
  connector: Connector,
  options: {
    readonly insert: (id: number, email: string, profile: string | null) => Promise<void> | void;
    readonly profiles: () => Promise<readonly (string | null)[]> | readonly (string | null)[];
    readonly more?: typeof CASES;
    /** What a store writes that reads JSON as values and not as a text: no name stands in it twice. */
    readonly native?: (json: string) => Promise<string>;
  },
): Promise<void> {
  expect((await connector.check()).problems).toEqual([]);
  const { native } = options;
  const own = native === undefined ? CASES : await nativeCases(native);
  const cases = [...own, ...(options.more ?? [])];
  for (const [place, [before]] of cases.entries()) {
    await options.insert(2 * place, 'ann@example.com', before);
    await options.insert(2 * place + 1, 'bob@example.com', before);
  }
  const scope = await located({ connector }, [{ type: 'email', value: 'ann@example.com' }]);
  await erase({ connector }, scope);
  const profiles = await options.profiles();
  const compact = (json: string | null | undefined) => json?.replaceAll(/([:,]) /g, '$1') ?? null;
  expect(cases.map(([before], place) => [before, compact(profiles[2 * place])])).toEqual(
    cases.map(([before, after]) => [before, typeof after === 'string' ? compact(after) : after]),
  );
  expect(cases.map((_, place) => profiles[2 * place + 1])).toEqual(cases.map(([before]) => before));
  expect(sum((await connector.verify(scope)).remaining)).toBe(0);
  expect(sum((await erase({ connector }, scope)).counts)).toBe(0);
}

async function nativeCases(native: (json: string) => Promise<string>): Promise<typeof CASES> {
  const text = async (json: unknown) => (typeof json === 'string' ? await native(json) : null);
  const single = CASES.filter(([before]) => !/("\w+":).*[{ ]\1/.test(before ?? ''));
  return await Promise.all(
    single.map(async ([before, after]) => [await text(before), await text(after)] as const),
  );
}
