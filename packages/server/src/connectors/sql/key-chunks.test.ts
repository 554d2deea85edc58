import { expect, test } from 'vitest';
import { arrayOf } from '../../../test/connector-contract.ts';
import { readAhead, useChunks } from './key-chunks.ts';

/** Numbers up to a limit, and how far each reader came. */
function numbers(limit: number) {
  const readers: { last: number; ended: boolean }[] = [];
  async function* read(): AsyncGenerator<number> {
    const reader = { last: 0, ended: false };
    readers.push(reader);
    try {
      while (reader.last < limit) {
        reader.last += 1;
        yield reader.last;
      }
    } finally {
      reader.ended = true;
    }
  }
  return { read, readers };
}

test('the first is read before anybody asks, and everything comes once, from the beginning', async () => {
  const { read, readers } = numbers(3);
  const ahead = readAhead(read);
  expect(readers).toEqual([{ last: 1, ended: false }]);
  expect(await arrayOf(ahead())).toEqual([1, 2, 3]);
  expect(readers).toEqual([{ last: 3, ended: true }]);
  expect(await arrayOf(ahead())).toEqual([1, 2, 3]);
  expect(readers).toHaveLength(2);
});

test('who stops early ends what was begun', async () => {
  const { read, readers } = numbers(3);
  for await (const first of readAhead(read)()) {
    expect(first).toBe(1);
    break;
  }
  expect(readers).toEqual([{ last: 1, ended: true }]);
});

test('nothing to read is nothing, and a failure waits for who asks', async () => {
  expect(await arrayOf(readAhead(numbers(0).read)())).toEqual([]);
  const ahead = readAhead<number>(() => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('gone')) }),
  }));
  await new Promise((resolve) => setTimeout(resolve, 5));
  await expect(arrayOf(ahead())).rejects.toThrow('gone');
});

test.each([
  ['the chunks fail', 'the chunks'],
  ['what is done with one fails', 'the use'],
])('where %s, what is under way has ended before that is told', async (_, failing) => {
  let underWay = 0;
  async function* chunks(): AsyncGenerator<number> {
    yield 1;
    yield 2;
    if (failing === 'the chunks') throw new Error(failing);
    yield 3;
  }
  const use = async (chunk: number): Promise<boolean> => {
    underWay += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
    underWay -= 1;
    if (chunk === 2 && failing === 'the use') throw new Error(failing);
    return true;
  };
  await expect(useChunks(chunks(), use)).rejects.toThrow(failing);
  expect(underWay).toBe(0);
});
