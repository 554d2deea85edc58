import { expect, test } from 'vitest';
import { readEvidence } from './read-evidence.ts';

const rest = { matched: true, counts: { accounts: 2, orders: 1 }, retained: [], residuals: [], notes: [] };
const read = (stored: object) => readEvidence(JSON.stringify({ ...rest, ...stored }));

test('evidence that counted what is only marked as deleted beside the effects has it among them', () => {
  const effect = { found: 2, erased: 0, masked: 2, kept: 0, level: 'hidden' };
  const orders = { found: 1, erased: 1, masked: 0, kept: 0, level: 'logical' };
  expect(read({ hidden: { accounts: 2 }, effects: { accounts: effect, orders } })).toEqual({
    ...rest,
    effects: { accounts: { ...effect, hidden: 2 }, orders },
  });
});

test('evidence from before there were effects has those of what is only marked as deleted', () => {
  expect(read({ hidden: { accounts: 2 } })).toEqual({
    ...rest,
    effects: { accounts: { found: 2, erased: 0, masked: 0, hidden: 2, kept: 0, level: 'hidden' } },
  });
});

test('other evidence is read as it stands', () => {
  const effects = { accounts: { found: 1, erased: 0, masked: 1, hidden: 1, kept: 0, level: 'hidden' } };
  expect([read({}), read({ effects })]).toEqual([rest, { ...rest, effects }]);
});
