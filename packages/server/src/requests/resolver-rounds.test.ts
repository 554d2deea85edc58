import { expect, it } from 'vitest';
import type { PlannableSystem } from '../connectors/index.ts';
import { resolverRounds } from './resolver-rounds.ts';

/** Systems in a ring, each of which tells what the next one needs, and how often anything was read of them. */
function ring(size: number) {
  let reads = 0;
  const systems = Array.from({ length: size }, (_, index): PlannableSystem => {
    const system: PlannableSystem = {
      key: String(index).padStart(6, '0'),
      team: 'team',
      by: 'client',
      capabilities: new Set(['resolve']),
      needs: [`id_${index}`],
      resolves: [`id_${(index + 1) % size}`],
      dataTypes: [],
    };
    return new Proxy(system, {
      get(target, name, receiver) {
        reads += 1;
        return Reflect.get(target, name, receiver);
      },
    });
  });
  const { rounds } = resolverRounds(systems, ['id_0']);
  return { reads, asked: rounds.flat().length };
}

it('costs twice as much for twice as many systems, also where each resolves for the next', () => {
  const [small, large] = [ring(1_000), ring(2_000)];
  // Each is asked, and once more with what the others told.
  expect(large.asked).toBe(4_000);
  expect(large.reads / small.reads).toBeLessThan(2.1);
});

const system = (key: string, more: Partial<PlannableSystem> = {}): PlannableSystem => ({
  key,
  team: 'team',
  by: 'connection',
  capabilities: new Set(['resolve']),
  needs: ['email'],
  resolves: ['email'],
  repeats: ['email'],
  dataTypes: [],
  ...more,
});
const ticket = { by: 'ticket', capabilities: new Set([]), needs: [], resolves: [], repeats: [] } as const;

it.each<[string, readonly PlannableSystem[], readonly string[]]>([
  ['alone', [system('shop')], []],
  [
    'beside one that takes something else',
    [system('shop'), system('log', { needs: ['ip'], resolves: [] })],
    [],
  ],
  // It may find `Ann@example.com` where nobody finds `ann@example.com`.
  ['beside one that takes addresses', [system('shop'), system('log', { resolves: [] })], ['shop']],
  ['beside one that said nothing', [system('shop'), system('log', { needs: [], resolves: [] })], ['shop']],
  ['beside a team that does it by hand', [system('shop'), system('desk', ticket)], ['shop']],
  ['beside another like it', [system('crm'), system('shop')], ['crm', 'shop']],
  ['and can tell something else', [system('shop', { resolves: ['card', 'email'] })], ['shop']],
  ['and never said what it tells', [system('shop', { resolves: [], undescribed: true })], ['shop']],
])('a system that can only repeat what it was asked with, %s', (_, systems, asked) => {
  const { rounds } = resolverRounds(systems, ['email']);
  // Who tells what others take, and takes what they tell, is asked once more.
  expect([...new Set(rounds.flat().map((one) => one.system.key))].sort()).toEqual(asked);
});
