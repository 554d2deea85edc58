import { expect } from 'vitest';
import type { Connector } from '../src/connectors/index.ts';
import { collect, erase, located, sum } from './connector-contract.ts';
import { people } from './small-shop-contract.ts';

/** People whose telephone numbers and names are written in several ways; every text column is `TEXT`. */
export const SPELLED_PEOPLE = `
  create table people (id int primary key, email TEXT, phone TEXT, nick TEXT);
  create table boxes (id int primary key, box TEXT);
  insert into boxes values (1, 'ann@example.com'), (2, 'Ann+Shop@Example.com'), (3, 'ann+news+x@example.com'), (4, 'anna@example.com'), (5, '+ann@example.com'),
    (6, '"ann+a"@example.com'), (7, '"ann"@example.com'), (8, 'ann@example.com+x'), (9, 'ann+shop@example.org'), (10, 'ann+'), (11, null), (12, 'ann');
  insert into people values
    (1, 'ann@example.com', '+44 20 7946 0001', null), (2, null, '0044 (0)20-7946.0001', null), (3, null, '+442079460001', null),
    (4, null, '+44 20 7946 0002', null), (5, null, '020 7946 0001', null), (6, null, '-', null), (7, null, '', null),
    (8, null, '+44 20 7946 00011', null), (9, null, null, '${'zoë'.normalize('NFC')}'), (10, null, null, '${'zoë'.normalize('NFD')}'),
    (11, null, null, 'zoe'), (12, 'eve@example.com', null, '${'bjørn-é'.normalize('NFC')}'), (13, null, null, '${'bjørn-é'.normalize('NFD')}'),
    (14, 'fay@example.com', '+44 20 7946 0009', null), (15, 'FAY@Example.com', null, null)`;

export const SPELLED_DATASET = people(`
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: phone, data_categories: [user.contact.phone_number], fides_meta: { identity: phone_number } }
          - { name: nick, data_categories: [user.name], fides_meta: { identity: nick } }
      - name: boxes
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: box, data_categories: [user.contact.email], fides_meta: { identity: box }, habeas: { match: mailbox } }`);

/** Expects people to be found however they are written, and nobody to be taken for somebody who only is written alike. */
export async function expectSpelledPeople(
  connector: Connector,
  ids: () => Promise<readonly number[]> | readonly number[],
): Promise<void> {
  const found = async (type: string, value: string) => {
    const { items } = await collect({ connector }, [{ type, value }]);
    return items.map(({ row }) => Number(row.id)).toSorted((a, b) => a - b);
  };
  for (const phone of ['+442079460001', '+44 (20) 7946-0001', '00442079460001'])
    expect(await found('phone_number', phone), phone).toEqual([1, 2, 3]);
  expect(await found('phone_number', '02079460001')).toEqual([5]);
  for (const nobody of ['', '-', '2079460001', '+44'])
    expect(await found('phone_number', nobody), nobody).toEqual([]);
  for (const form of ['NFC', 'NFD'])
    expect(await found('nick', 'zoë'.normalize(form)), form).toEqual([9, 10]);
  expect(await found('nick', 'zoe')).toEqual([11]);
  for (const box of ['ann@example.com', 'ANN@example.com', 'ann+other@Example.com'])
    expect(await found('box', box), box).toEqual([1, 2, 3]);
  for (const [box, id] of [
    ['+ann@example.com', 5],
    ['"ann+a"@example.com', 6],
    ['ann@example.com+x', 8],
    ['ann@example.org', 9],
    ['ann+', 10],
    ['ann', 12],
  ] as const)
    expect(await found('box', box), box).toEqual([id]);

  // What rows of others say as well, in whatever spelling, names nobody for certain.
  expect(await found('email', 'ann@example.com')).toEqual([1]);
  expect(await found('email', 'eve@example.com')).toEqual([12]);
  expect(await found('phone_number', '+442079460009')).toEqual([14]);
  expect(await found('email', 'Fay@example.com')).toEqual([14, 15]);

  const scope = await located({ connector }, [{ type: 'phone_number', value: '+442079460001' }]);
  expect((await erase({ connector }, scope)).counts).toEqual({ people: 3 });
  expect(await ids()).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  expect(sum((await connector.verify(scope)).remaining)).toBe(0);
}
