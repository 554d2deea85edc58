import { expect, test } from 'vitest';
import { privilegesOf } from './read-privileges.ts';

const may = (lines: readonly string[], database = 'shop', table = 'people') => {
  const { on, mayMakeTemporaryTables } = privilegesOf(lines, database);
  return { ...on({ schema: '', table }), temporary: mayMakeTemporaryTables };
};
const NONE = { select: false, update: false, delete: false, temporary: false };

test('grants on the server, the database and the table add up', () => {
  expect(
    may([
      'GRANT USAGE ON *.* TO "u"@"%"',
      'GRANT CREATE TEMPORARY TABLES ON "shop".* TO "u"@"%"',
      'GRANT SELECT, UPDATE ON `shop`.`people` TO `u`@`%`',
    ]),
  ).toEqual({ select: true, update: true, delete: false, temporary: true });
  expect(may(['GRANT ALL PRIVILEGES ON *.* TO "root"@"%" WITH GRANT OPTION'])).toEqual({
    select: true,
    update: true,
    delete: true,
    temporary: true,
  });
});

test.each([
  ['another database', 'GRANT ALL PRIVILEGES ON "shops".* TO "u"@"%"'],
  ['another table', 'GRANT SELECT ON "shop"."orders" TO "u"@"%"'],
  ['some columns', 'GRANT SELECT (id), UPDATE (id, email) ON "shop"."people" TO "u"@"%"'],
  ['a role that is not on', 'GRANT "reader" TO "u"@"%"'],
  ['a proxy', `GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION`],
])('grants on %s give nothing', (_, line) => {
  expect(may([line])).toEqual(NONE);
});

test.each([
  ['shop\\_1', 'shop_1', true],
  ['shop\\_1', 'shopx1', false],
  ['shop_1', 'shopx1', true],
  ['shop%', 'shop.eu', true],
  ['shop.eu', 'shop-eu', false],
  ['a""b', 'a"b', true],
])('a grant on "%s" is for %s: %s', (pattern, database, want) => {
  expect(may([`GRANT SELECT ON "${pattern}".* TO "u"@"%"`], database).select).toBe(want);
});
