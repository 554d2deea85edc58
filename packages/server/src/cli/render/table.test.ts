import { describe, expect, it } from 'vitest';
import { paintFor } from './paint.ts';
import { table } from './table.ts';
import { widthOf } from './text.ts';

const paint = paintFor(false);
const rows = [
  { name: 'accounts', stores: 'email, name, user_id', number: 3 },
  { name: 'orders', stores: 'email, name, phone_number, address, payment_card, order_history', number: 12 },
];
const columns = [
  { title: 'SERVICE', value: (row: (typeof rows)[0]) => row.name },
  { title: 'STORES', value: (row: (typeof rows)[0]) => row.stores, flexible: true },
  { title: 'ROWS', value: (row: (typeof rows)[0]) => String(row.number), align: 'right' as const },
];

describe('a table', () => {
  it('aligns its columns', () => {
    expect(table({ columns, rows: rows.slice(0, 1), width: 80, paint })).toEqual([
      'SERVICE   STORES                ROWS',
      'accounts  email, name, user_id     3',
    ]);
  });

  it('wraps its flexible column where the screen ends', () => {
    const lines = table({ columns, rows, width: 50, paint, indent: 2 });
    expect(lines).toEqual([
      '  SERVICE   STORES                            ROWS',
      '  accounts  email, name, user_id                 3',
      '  orders    email, name, phone_number,          12',
      '            address, payment_card,',
      '            order_history',
    ]);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(50);
  });

  it('paints cells without losing the alignment, and never lets a cell paint by itself', () => {
    const evil = [{ name: '\u001b[31mred\n', stores: 'x', number: 1 }];
    const [, plain = ''] = table({ columns, rows: evil, width: 80, paint });
    expect(plain).not.toContain('\u001b');
    const coloured = paintFor(true);
    const [, line = ''] = table({
      columns: [{ title: 'A', value: () => 'x', paint: coloured.good }, ...columns],
      rows: evil,
      width: 80,
      paint: coloured,
    });
    expect(line).toContain('\u001b[32mx');
    expect(widthOf(line)).toBe(widthOf(plain) + 3);
  });

  it('is only titles when there is nothing', () => {
    expect(table({ columns, rows: [], width: 80, paint })).toEqual(['SERVICE  STORES  ROWS']);
  });
});
