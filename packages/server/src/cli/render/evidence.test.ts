import type { api } from '@habeas/contract';
import { describe, expect, it } from 'vitest';
import { evidenceLines } from './evidence.ts';
import { paintFor } from './paint.ts';

const options = { width: 80, paint: paintFor(false), dryRun: false };
const kept = { collection: 'order_audit', count: 2, reason: 'Tax law.', until: '2031-08-18T00:00:00Z' };
const task = (
  kind: api.TaskKind,
  counts: Record<string, number>,
  retained: readonly (typeof kept)[] = [],
): api.TaskView => ({
  id: `tsk_${kind}`,
  request_id: 'req_1',
  key: `${kind}:shop`,
  kind,
  system: kind === 'ticket' ? 'analytics' : 'shop',
  team: 'shop',
  state: 'succeeded',
  depends_on: [],
  attempts: 1,
  failures: 0,
  note: null,
  next_attempt_at: null,
  started_at: null,
  ended_at: null,
  error: null,
  evidence: { matched: true, counts, retained: [...retained], residuals: [], notes: [] },
});

describe('what the tasks of a request brought back', () => {
  it('is a line for each collection, a column for each kind of task, and each kept thing once', () => {
    const tasks = [
      task('resolve', { user_id: 1 }),
      task('locate', { customers: 1, orders: 12_000 }),
      task('erase', { customers: 1, orders: 12_000 }, [kept]),
      task('verify', { customers: 0, orders: 0 }, [kept]),
      task('ticket', { analytics: 8 }),
    ];
    expect(evidenceLines(tasks, options)).toEqual([
      '',
      'SYSTEM     COLLECTION    KEYS  ERASED  LEFT  BY THE TEAM',
      'analytics  analytics                                   8',
      'shop       customers        1       1     0',
      'shop       orders      12,000  12,000     0',
      '',
      'KEPT              RECORDS  BECAUSE   UNTIL',
      'shop.order_audit        2  Tax law.  2031-08-18',
    ]);
  });

  it('says of a dry run what it would do, and nothing where there is nothing', () => {
    expect(evidenceLines([task('erase', { customers: 1 })], { ...options, dryRun: true })[1]).toBe(
      'SYSTEM  COLLECTION  WOULD ERASE',
    );
    expect(evidenceLines([], options)).toEqual([]);
  });
});
