import { expect, test } from 'vitest';
import { partsOf } from './parts-of.ts';

const bytes = Buffer.from('0123456789');
const source = {
  size: bytes.length,
  read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
};

test.each([
  [1, 10],
  [3, 4],
  [10, 1],
  [11, 1],
])('in parts of %d bytes a file of 10 comes in %d', async (partBytes, count) => {
  const parts = await Array.fromAsync(partsOf(source, new AbortController().signal, partBytes));
  expect(Buffer.concat(parts).toString()).toBe('0123456789');
  expect(parts.length).toBe(count);
});

test('an empty file has no parts', async () => {
  const empty = { size: 0, read: () => Promise.reject(new Error('There is nothing to read.')) };
  expect(await Array.fromAsync(partsOf(empty, new AbortController().signal))).toEqual([]);
});

test('what fails while one part is looked through is told with the next', async () => {
  const failing = {
    size: 10,
    read: async (offset: number, length: number) => {
      if (offset > 0) throw new Error('replaced');
      return bytes.subarray(offset, offset + length);
    },
  };
  const parts = partsOf(failing, new AbortController().signal, 5);
  expect((await parts.next()).value?.toString()).toBe('01234');
  await expect(parts.next()).rejects.toThrow('replaced');
});
