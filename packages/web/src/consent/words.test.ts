import type { ConsentDestination } from '@habeas/contract/api';
import { describe, expect, it } from 'vitest';
import { lengthOf, troubleOf } from './words.ts';

const WELL: ConsentDestination = {
  key: 'crm',
  by: 'webhook',
  acknowledge: 'answer',
  purposes: {},
  waiting: 1,
  sent: 0,
  given_up: 0,
  lag_seconds: 2,
  error: null,
};

describe('a destination that is told what people agree to', () => {
  it('has no trouble as long as it takes everything soon, or was never told anything', () => {
    expect([troubleOf(WELL), troubleOf({ ...WELL, lag_seconds: null })]).toEqual([undefined, undefined]);
  });

  it.each([
    ['given up for 1 person', { given_up: 1, error: 'It answered 500.' }],
    ['does not take it', { error: 'It answered 500.' }],
    ['late', { lag_seconds: 301 }],
  ])('is in trouble: %s', (trouble, now) => {
    expect(troubleOf({ ...WELL, ...now })).toBe(trouble);
  });

  it('is behind by a length that is read at a glance', () => {
    expect([0, 59.6, 60, 5_400, 200_000].map(lengthOf)).toEqual(['0 s', '60 s', '1 min', '2 h', '2 d']);
  });
});
