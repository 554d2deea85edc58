import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { linesTogether } from './standard-error.ts';

function recorder() {
  const written: string[][] = [];
  const write = (text: string) => {
    written.push(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).msg),
    );
  };
  return { written, logger: pino({ base: null }, linesTogether({ write })) };
}

const endOfTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('log lines', () => {
  it('of one turn are written together when it ends, in their order, and none twice', async () => {
    const { written, logger } = recorder();
    logger.info('a');
    logger.child({ requestId: '1' }).info('b');
    expect(written).toEqual([]);
    await endOfTurn();
    logger.info('c');
    await endOfTurn();
    await endOfTurn();
    expect(written).toEqual([['a', 'b'], ['c']]);
  });

  it('that warn are written at once, after those before them', async () => {
    const { written, logger } = recorder();
    logger.info('a');
    logger.child({ requestId: '1' }).warn('b');
    expect(written).toEqual([['a', 'b']]);
    logger.error('c');
    logger.info('d');
    expect(written).toEqual([['a', 'b'], ['c']]);
    await endOfTurn();
    expect(written).toEqual([['a', 'b'], ['c'], ['d']]);
  });

  it('are not held back without an end', () => {
    const { written, logger } = recorder();
    for (let count = 0; count < 1_000; count += 1) logger.info('x'.repeat(1_000));
    expect(written.length).toBeGreaterThan(10);
  });

  it('of the last turn are written when the process ends', async () => {
    const { written, logger } = recorder();
    logger.info('last');
    const before = process.rawListeners('exit').at(-1) as () => void;
    before();
    expect(written).toEqual([['last']]);
    await endOfTurn();
    expect(written).toEqual([['last']]);
  });
});
