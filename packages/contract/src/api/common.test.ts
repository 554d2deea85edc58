import { expect, test } from 'vitest';
import { fieldChangesSchema } from './common.ts';

const change = (from: string | undefined, to: string, target = 'user.contact.phone_number') => ({
  target,
  to,
  ...(from === undefined ? {} : { from }),
});

test.each([
  ['two values that change places', [change('1', '2'), change('2', '1')], false],
  ['one value that goes on to a third', [change('1', '2'), change('2', '3')], false],
  ['the same values of two fields', [change('1', '2', 'a.b.home'), change('2', '1', 'a.b.work')], true],
  ['whatever it is', [change(undefined, '2'), change('3', '4')], true],
  ['a value that stays', [change('1', '1')], true],
] as const)('%s: changes that can be told from those that were made', (_, changes, fits) => {
  expect(fieldChangesSchema.safeParse(changes).success).toBe(fits);
});
