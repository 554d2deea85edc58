import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { itemsOf } from '../text-rows.ts';
import { CopyRows } from './copy-rows.ts';

function message(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

function tuple(values: readonly (string | null)[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(values.length);
  const fields = values.map((value) => {
    const bytes = Buffer.from(value ?? '');
    const length = Buffer.alloc(4);
    length.writeInt32BE(value === null ? -1 : bytes.length);
    return Buffer.concat([length, bytes]);
  });
  return Buffer.concat([count, ...fields]);
}

const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const END = Buffer.from([0xff, 0xff]);
const NOTICE = message('N', Buffer.from('Swarning\0\0'));

/** As the driver reads the same socket: whole messages by their letter. */
function readAsDriver(socket: PassThrough, copy: CopyRows): string[] {
  const types: string[] = [];
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= rest.readInt32BE(1) + 1) {
      const end = rest.readInt32BE(1) + 1;
      const type = rest.toString('latin1', 0, 1);
      types.push(type);
      if (type === 'd') copy.handleCopyData({ chunk: rest.subarray(5, end) });
      if (type === 'C') copy.handleCommandComplete();
      if (type === 'Z') copy.handleReadyForQuery();
      rest = rest.subarray(end);
    }
  });
  return types;
}

const rowsOf = fc.array(fc.array(fc.option(fc.string()), { minLength: 2, maxLength: 2 }), { maxLength: 40 });

test('a copy gives every row, however its messages are cut on the way and whatever comes between them', async () => {
  await fc.assert(
    fc.asyncProperty(
      rowsOf,
      fc.option(fc.nat(39)),
      fc.array(fc.integer({ min: 1, max: 40 })),
      async (rows, noticeAt, cuts) => {
        const messages: Buffer[] = [message('H', Buffer.from([1, 0, 2, 0, 1, 0, 1]))];
        for (const [at, row] of rows.entries()) {
          if (at === noticeAt) messages.push(NOTICE);
          messages.push(message('d', at === 0 ? Buffer.concat([HEADER, tuple(row)]) : tuple(row)));
        }
        messages.push(message('d', rows.length === 0 ? Buffer.concat([HEADER, END]) : END));
        messages.push(
          message('c', Buffer.alloc(0)),
          message('C', Buffer.from('COPY\0')),
          message('Z', Buffer.from('T')),
        );
        const socket = new PassThrough();
        const copy = new CopyRows('copy');
        const types = readAsDriver(socket, copy);
        copy.submit({ stream: socket, query: () => undefined } as unknown as pg.Connection);
        const wire = Buffer.concat(messages);
        for (let at = 0, cut = 0; at < wire.length; cut += 1) {
          const length = cuts[cut] ?? 1_000;
          socket.write(wire.subarray(at, at + length));
          at += length;
        }
        const read: unknown[] = [];
        let count = 0;
        for await (const batch of copy.batches()) {
          count += batch.count;
          const items = itemsOf({ collection: 'c', columns: ['a', 'b'], ...batch });
          read.push(...Array.from(items, ({ row }) => [row.a, row.b]));
        }
        expect(read).toEqual(rows);
        expect(count).toBe(rows.length);
        // The driver is asked again from the first message on that is no row.
        expect(types.filter((type) => type !== 'd' && type !== 'N')).toEqual(['H', 'c', 'C', 'Z']);
      },
    ),
    { numRuns: 300 },
  );
});

test('more rows than wait are held back until they are used', async () => {
  const socket = new PassThrough({ highWaterMark: 1024 * 1024 });
  const copy = new CopyRows('copy');
  readAsDriver(socket, copy);
  copy.submit({ stream: socket, query: () => undefined } as unknown as pg.Connection);
  const row = message('d', tuple(['x'.repeat(30_000), null]));
  socket.write(message('d', Buffer.concat([HEADER, tuple(['first', null])])));
  const batches = copy.batches();
  for (let index = 0; index < 40; index += 1) socket.write(row);
  await expect.poll(() => socket.isPaused()).toBe(true);
  let count = 0;
  socket.write(message('d', END));
  socket.write(message('C', Buffer.from('COPY\0')));
  socket.write(message('Z', Buffer.from('T')));
  for await (const batch of batches) count += batch.count;
  expect(count).toBe(41);
});
