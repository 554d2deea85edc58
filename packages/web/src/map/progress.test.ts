import type { TaskState, TaskView } from '@habeas/contract/api';
import { describe, expect, it } from 'vitest';
import { progressOf, progressOfNode } from './progress.ts';

const NOW = new Date('2026-03-01T12:00:00Z');

const task = (system: string | null, state: TaskState, until?: string | null): TaskView => ({
  id: `tsk_${system}_${state}`,
  request_id: 'req_1',
  key: `erase:${system}`,
  kind: 'erase',
  system,
  team: 'data',
  state,
  depends_on: [],
  attempts: 0,
  failures: 0,
  next_attempt_at: null,
  started_at: null,
  ended_at: null,
  error: null,
  evidence:
    until === undefined
      ? null
      : { matched: true, counts: {}, retained: [], residuals: [{ what: 'backup', until }], notes: [] },
  note: null,
});

const CONNECTIONS = [{ key: 'shop', service: 'orders' }];
const of = (...tasks: readonly TaskView[]) =>
  Object.fromEntries(
    [...progressOf(tasks, CONNECTIONS, NOW)].map(([name, { progress, until }]) => [name, [progress, until]]),
  );

describe('how far a request is at a service', () => {
  it.each([
    [['succeeded', 'succeeded'], 'done'],
    [['succeeded', 'pending'], 'waiting'],
    [['pending', 'ready'], 'running'],
    [['waiting', 'succeeded'], 'waiting'],
    [['running', 'blocked'], 'failed'],
    [['succeeded', 'skipped'], 'skipped'],
    [['cancelled'], 'skipped'],
  ] as const)('%s is %s', (states, wanted) => {
    expect(of(...states.map((state) => task('mailer', state)))).toEqual({ mailer: [wanted, null] });
  });

  it('is by service, whatever its system is called', () => {
    const tasks = [task('shop', 'running'), task('crm@web', 'succeeded'), task(null, 'blocked')];
    expect(of(...tasks)).toEqual({ orders: ['running', null], crm: ['done', null] });
  });

  it('is not at its end before the last copy is', () => {
    expect(
      of(task('a', 'succeeded', '2026-04-01T00:00:00Z'), task('a', 'succeeded', '2026-05-01T00:00:00Z')),
    ).toEqual({
      a: ['residual', '2026-05-01T00:00:00Z'],
    });
    expect(of(task('a', 'succeeded', null), task('a', 'succeeded', '2026-05-01T00:00:00Z'))).toEqual({
      a: ['residual', null],
    });
    expect(of(task('a', 'succeeded', '2026-02-01T00:00:00Z'))).toEqual({ a: ['done', null] });
  });

  it('of a team is what most needs somebody', () => {
    const progress = progressOf([task('a', 'succeeded'), task('b', 'blocked')], [], NOW);
    expect(progressOfNode({ services: ['a', 'b', 'c'] }, progress)).toBe('failed');
    expect(progressOfNode({ services: ['a'] }, progress)).toBe('done');
    expect(progressOfNode({ services: ['c'] }, progress)).toBeUndefined();
  });
});
