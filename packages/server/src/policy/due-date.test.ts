import { expect, it } from 'vitest';
import { dueDate } from './due-date.ts';

it.each([
  ['2026-01-15T10:00:00Z', '2026-02-15T23:59:59.999Z'],
  ['2026-01-31T23:59:59Z', '2026-02-28T23:59:59.999Z'],
  ['2028-01-31T00:00:00Z', '2028-02-29T23:59:59.999Z'],
  ['2026-12-31T12:00:00Z', '2027-01-31T23:59:59.999Z'],
])('a request received at %s is due by %s', (received, want) => {
  expect(dueDate(new Date(received)).toISOString()).toBe(want);
});
