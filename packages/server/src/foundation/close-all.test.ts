import { expect, it } from 'vitest';
import { type ClosablePart, closeAll } from './close-all.ts';
import { createLogger } from './logging.ts';

const lines: string[] = [];
const logger = createLogger({ destination: { write: (line) => void lines.push(line) } });

it('ends every part in its order, whatever the others do, and then says which did not end well', async () => {
  const ended: string[] = [];
  const part = (name: string, close?: ClosablePart['close']): ClosablePart => ({
    name,
    close: async () => {
      ended.push(name);
      await close?.();
    },
  });
  const closing = closeAll(
    [
      part('feed'),
      part('http', () => Promise.reject(new Error('secret of a row'))),
      part('requests', () => new Promise(() => undefined)),
      {
        name: 'map',
        close: () => {
          ended.push('map');
          throw new Error('at once');
        },
      },
      part('systems'),
    ],
    { logger, withinMilliseconds: 30 },
  );
  await expect(closing).rejects.toMatchObject({
    code: 'INTERNAL',
    message: expect.stringContaining('did not end well: http, requests, map.'),
  });
  expect(ended).toEqual(['feed', 'http', 'requests', 'map', 'systems']);
  expect(lines.map((line) => JSON.parse(line).part)).toEqual(['http', 'requests', 'map']);
  expect(lines.join('')).not.toContain('secret');
});

it('says nothing where all end', async () => {
  await expect(
    closeAll([{ name: 'a', close: async () => 1 }], { withinMilliseconds: 30 }),
  ).resolves.toBeUndefined();
});
