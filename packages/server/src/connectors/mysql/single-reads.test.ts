import { expect, test } from 'vitest';
import { singleReads } from './single-reads.ts';

test('a temporary table that stands once in a statement is read itself', () => {
  const text = `insert into habeas_found_7a (k1) select t.id from "people" t on duplicate key update bits = habeas_found_7a.bits`;
  expect(singleReads(text)).toEqual({ copies: [], text });
});

test('where it stands again a copy of its own is read, and texts and names in quotes stay', () => {
  const { copies, text } = singleReads(
    `select 'habeas_keys_1 it''s', "habeas_keys_1" from habeas_keys_1 e, habeas_keys_1 f, habeas_keys_1 g, habeas_keys_2 h`,
  );
  expect(text).toBe(
    `select 'habeas_keys_1 it''s', "habeas_keys_1" from habeas_keys_1 e, habeas_keys_1_2 f, habeas_keys_1_3 g, habeas_keys_2 h`,
  );
  expect(copies).toEqual(
    [2, 3].flatMap((number) => [
      `drop temporary table if exists habeas_keys_1_${number}`,
      `create temporary table habeas_keys_1_${number} like habeas_keys_1`,
      `insert into habeas_keys_1_${number} select * from habeas_keys_1`,
    ]),
  );
});
