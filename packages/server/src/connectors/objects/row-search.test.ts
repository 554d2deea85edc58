import { expect, test } from 'vitest';
import { createRowSearch, type RowColumn } from './row-search.ts';

const email: RowColumn = { path: ['email'], match: 'case-insensitive' };
const tenant: RowColumn = { path: ['tenant'], match: 'exact' };
const phone: RowColumn = { path: ['phone'], match: 'exact', spelling: 'telephone' };
const user: RowColumn = { path: ['user', 'id'], match: 'exact' };

const search = createRowSearch([
  { who: 0, all: [{ column: email, value: 'Ann@Example.com' }] },
  {
    who: 1,
    all: [
      { column: user, value: '7' },
      { column: tenant, value: 'a' },
    ],
  },
  { who: 2, all: [{ column: user, value: '0' }] },
  { who: 3, all: [{ column: email, value: '' }] },
  { who: 5, all: [{ column: phone, value: '+44 20 7946' }] },
  { who: 6, all: [{ column: phone, value: '-' }] },
  { who: 4, all: [{ column: email, value: 'rene\u0301@example.com' }] },
]);

/** Whose the row is, from its values by column. */
function whose(values: {
  email?: unknown;
  user?: unknown;
  tenant?: unknown;
  phone?: unknown;
}): readonly number[] {
  const row = search.columns.map(({ path: [name = ''] }, column) => {
    const text = search.textOf(column, Reflect.get(values, name));
    return text === undefined ? [] : [text];
  });
  return [...search.whose(row)];
}

test.each([
  ['a value in another case', { email: 'ANN@example.COM' }, [0]],
  ['a longer value', { email: 'ann@example.com.au' }, []],
  ['all parts of a key', { user: 7, tenant: 'a' }, [1]],
  ['one part of a key', { user: 7, tenant: 'b' }, []],
  ['the other part of a key', { user: 8, tenant: 'a' }, []],
  ['an id that is 0', { user: 0 }, [2]],
  ['an id that is false', { user: false }, []],
  ['an empty text', { email: '' }, [3]],
  ['a telephone number that is written in another way', { phone: '0044 (0)20.79/46' }, [5]],
  ['the number without its country', { phone: '0207946' }, []],
  ['a number without digits', { phone: '-' }, []],
  ['nothing', { email: null }, []],
  ['composed letters', { email: 'ren\u00e9@example.com' }, [4]],
  ['a row of two people', { email: 'ann@example.com', user: 0n }, [0, 2]],
])('%s finds whose the row is', (_, row, people) => {
  expect(whose(row)).toEqual(people);
});

test('every column is read once, with what is looked for in it', () => {
  expect(search.columns).toEqual([email, user, tenant, phone]);
  expect([...search.values(0)]).toEqual(['ann@example.com', '', 'ren\u00e9@example.com']);
  expect([...search.written(0)]).toEqual(['Ann@Example.com', '', 'rene\u0301@example.com']);
});
