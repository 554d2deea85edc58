import { afterEach, expect, it } from 'vitest';
import { type AskingHouse, codeIn, openAskingHouse } from '../../../test/asking-house.ts';

let house: AskingHouse | undefined;
afterEach(async () => {
  await house?.[Symbol.asyncDispose]();
});

/** Pairs of calls; the two of a pair run one right after the other, in random order, so that load on the machine meets both. */
const PAIRS = 450;

/**
 * Wilcoxon signed-rank test of paired differences: how many standard deviations the sum of ranks lies from that of equal
 * distributions. One late answer weighs no more than the largest rank, so that a busy machine does not decide.
 */
function signedRank(differences: readonly number[]): number {
  const ranked = differences
    .filter((difference) => difference !== 0)
    .toSorted((a, b) => Math.abs(a) - Math.abs(b));
  const n = ranked.length;
  const positive = ranked.reduce((sum, difference, index) => (difference > 0 ? sum + index + 1 : sum), 0);
  const mean = (n * (n + 1)) / 4;
  return (positive - mean) / Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** Equal ones exceed it once in 300,000 runs. */
const LIMIT = 4.7;

it('answers people that it knows and others with the same, in the same time', async () => {
  house = await openAskingHouse({
    intake: { limits: { asks_per_client: { most: 100_000 }, codes_per_address: { most: 2 } } },
  });
  const { post, system, ask, mailTo } = house;
  // Known in every way: in a system, with a request that is proved, with others that wait, and over the limit of codes.
  system.rows = [{ email: 'known@example.org', user_id: 'u1' }];
  const body = (value: string) => ({ right: 'access', identities: [{ type: 'email', value }] });
  const first = await ask(body('known@example.org'));
  const code = codeIn(await mailTo('known@example.org'));
  await post('/api/v1/public/requests:prove', { token: first.token, contact: 'c0', code });
  await ask(body('known@example.org'));

  const shapes = new Set<string>();
  const timed = async (address: string): Promise<number> => {
    const begun = performance.now();
    const answer = await post('/api/v1/public/requests', body(address));
    const took = performance.now() - begun;
    const names = (value: object): unknown[] =>
      Object.entries(value).map(([name, one]) =>
        typeof one === 'object' && one !== null ? [name, names(one)] : name,
      );
    shapes.add(JSON.stringify([answer.status, names(answer.body), answer.body.state, answer.body.missing]));
    return took;
  };
  for (let warming = 0; warming < 20; warming += 1) await timed(`warm${warming}@example.org`);

  const differences: number[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    // As long as each other, so that the bytes do not differ.
    const stranger = `u${String(pair).padStart(4, '0')}@example.org`;
    const knownFirst = Math.random() < 0.5;
    const one = await timed(knownFirst ? 'known@example.org' : stranger);
    const other = await timed(knownFirst ? stranger : 'known@example.org');
    differences.push(knownFirst ? one - other : other - one);
  }
  expect([...shapes]).toHaveLength(1);
  expect(Math.abs(signedRank(differences))).toBeLessThan(LIMIT);
  // The test would see a difference as small as that by which two calls commonly differ.
  const common = median(differences.map(Math.abs));
  expect(signedRank(differences.map((difference) => difference + common))).toBeGreaterThan(LIMIT);
});
