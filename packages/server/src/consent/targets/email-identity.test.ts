import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { openTargetHouse, type TargetHouse } from '../../../test/consent/target-house.ts';
import { normalized } from '../create-consent.ts';
import { emailObjects } from './email-identity.ts';
import { readTargetState, rewriteSql } from './index.ts';

/** Of what a database with this locale, or the server's own, calls letters. */
async function openHouse(locale?: string): Promise<TargetHouse> {
  const house = await openTargetHouse(locale === undefined ? {} : { locale });
  onTestFinished(() => house[Symbol.asyncDispose]());
  await house.install();
  return house;
}

it.each([undefined, 'C'])(
  'makes of an address what Habeas stores of it, in a database with the locale %s',
  {
    timeout: 60_000,
  },
  async (locale) => {
    const { shop } = await openHouse(locale);
    const some = [
      'ÄNNE@Example.ORG',
      'ЖЕНЯ@x.рф',
      'A\u030ane@x',
      '\u00a0\tADA@x\n',
      'ΟΔΟΣ@x',
      'İ@x',
      'ẞ@x',
      'Ǆ@x',
    ];
    const letters = fc.constantFrom(...'ÄäßẞİıΣσςЖ\u0301\u0308 \t\u00a0\u3000AaKKÅåǅ@.');
    // A database may know fewer letters than Node: those of Latin, Greek and Cyrillic are as old as any.
    const ranges = [
      [0x20, 0x24f],
      [0x370, 0x377],
      [0x384, 0x52f],
      [0x1e00, 0x1eff],
    ] as const;
    const old = fc
      .oneof(...ranges.map(([min, max]) => fc.integer({ min, max })))
      .map((code) => String.fromCodePoint(code));
    const texts = fc.oneof(
      fc.string({ unit: letters, maxLength: 12 }),
      fc.string({ unit: old, maxLength: 12 }),
    );
    const values = [...some, ...fc.sample(texts, { numRuns: 500, seed: 7 })].filter(
      (text) => text.isWellFormed() && !text.includes('\0'),
    );
    const { rows } = await shop.query<{ made: string }>(
      'select habeas_consent.email_identity(address) as made from unnest($1::text[]) with ordinality as t(address, place) order by place',
      [values],
    );
    const wrong = values.flatMap((value, place) => {
      const want = normalized({ type: 'email', value }).value;
      return rows[place]?.made === want ? [] : [[value, rows[place]?.made, want]];
    });
    expect(wrong).toEqual([]);
  },
);

it('hides who refused under an address with other letters than those of ASCII, in a database with the locale C', async () => {
  const house = await openHouse('C');
  await house.shop.query(`insert into letters values (1, 'ÄNNE@Example.org', 1), (2, 'Женя@example.org', 2), (3, 'zoë@example.org', 3)
    on conflict (id) do update set address = excluded.address, words = excluded.words`);
  const refuse = { type: 'email', person: 0, choices: { advertising: false } } as const;
  await house.say([
    { ...refuse, identity: 'änne@example.org' },
    { ...refuse, identity: 'женя@example.org' },
  ]);
  await house.sync();
  const state = await readTargetState(house.shop, house.target);
  const sql = 'select id from letters where id < 4 order by id';
  const rewritten = await rewriteSql(sql, { target: house.target, state, purpose: 'advertising' });
  expect((await house.shop.query(rewritten.sql)).rows).toEqual([{ id: 3 }]);
  expect((await house.shop.query('select id from purpose_advertising.letters where id < 4')).rows).toEqual([
    { id: 3 },
  ]);
  // The body stands in place of the call, so that the statement costs what it did.
  const { rows } = await house.shop.query(`explain (verbose) ${rewritten.sql}`);
  expect(JSON.stringify(rows)).not.toContain('email_identity');
});

it('refuses a database that has no rules for letters, and says what to do', async () => {
  const { target } = await openHouse();
  const answers = (encoding: string) => ({
    query: async (text: string) => ({
      rows: text.includes('server_encoding') ? [{ encoding }] : [{ icu: false, own: false }],
    }),
  });
  for (const encoding of ['SQL_ASCII', 'LATIN1', 'UTF8'])
    await expect(emailObjects(answers(encoding) as never, target)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('Use a database in UTF-8'),
    });
  const open = target.tables.filter((one) => one.kind === 'open');
  expect(await emailObjects(answers('LATIN1') as never, { tables: open })).toEqual([]);
});
