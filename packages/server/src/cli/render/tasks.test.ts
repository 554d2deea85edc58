import type { api } from '@habeas/contract';
import { describe, expect, it } from 'vitest';
import { paintFor } from './paint.ts';
import { changedTasks, progressBar, taskEventLine, taskMatrix } from './tasks.ts';
import { widthOf } from './text.ts';

const paint = paintFor(false);
const task = (key: string, state: api.TaskState, changes: Partial<api.TaskView> = {}): api.TaskView => {
  const [kind = 'gate', system] = key.split(':');
  return {
    id: `tsk_${key}`,
    request_id: 'req_1',
    key,
    kind: kind as api.TaskKind,
    system: system ?? null,
    team: 'shop',
    state,
    depends_on: [],
    attempts: 1,
    failures: 0,
    note: null,
    next_attempt_at: null,
    started_at: null,
    ended_at: null,
    error: null,
    evidence: null,
    ...changes,
  };
};

const tasks = [
  task('resolve:accounts', 'succeeded'),
  task('gate', 'succeeded'),
  task('locate:shop', 'succeeded'),
  task('erase:shop', 'running'),
  task('erase:accounts', 'succeeded'),
  task('verify:accounts', 'blocked', {
    error: { code: 'STILL_READABLE', message: 'accounts has 3 rows left.' },
  }),
  task('verify:shop', 'pending'),
  task('ticket:analytics', 'waiting'),
];

describe('the picture of a request', () => {
  it('has a line for each system with the state of each task, and why one is blocked', () => {
    expect(taskMatrix(tasks, { width: 80, paint, indent: 3 })).toEqual([
      '   accounts   ✓ identities  ✓ erase  ✗ read again',
      '      ✗ STILL_READABLE: accounts has 3 rows left.',
      '   shop       ✓ keys  ▸ erase  · read again',
      '   analytics  ◷ ticket',
    ]);
  });

  it('fits the screen also when an error lists a whole schema or tries to move the cursor', () => {
    const message = `${'a column that is not there, '.repeat(60)}\u001b[2J\n`;
    const lines = taskMatrix([task('erase:shop', 'blocked', { error: { code: 'X', message } })], {
      width: 60,
      paint,
    });
    expect(lines.length).toBeLessThanOrEqual(6);
    for (const line of lines) {
      expect(widthOf(line)).toBeLessThanOrEqual(60);
      expect(line).not.toMatch(/\p{Cc}/u);
    }
  });

  it('draws rounds of one kind once, as the one that is least done, and breaks no line over the screen', () => {
    const rounds = [
      task('resolve:accounts', 'succeeded'),
      { ...task('resolve:accounts', 'running'), key: 'resolve:accounts:2', id: 'second' },
      task('erase:accounts', 'pending'),
      task('verify:accounts', 'pending'),
    ];
    expect(taskMatrix(rounds, { width: 80, paint })).toEqual([
      'accounts  ▸ identities  · erase  · read again',
    ]);
    const narrow = taskMatrix(rounds, { width: 34, paint, indent: 3 });
    expect(narrow).toEqual(['   accounts  ▸ identities  · erase', '             · read again']);
  });

  it('counts what is done without the gates', () => {
    expect(progressBar(tasks, 14, paint)).toBe('██████░░░░░░░░  3 of 7');
    expect(progressBar([], 4, paint)).toBe('░░░░  0 of 0');
    expect(progressBar([task('erase:a', 'skipped')], 4, paint)).toBe('████  1 of 1');
  });
});

describe('the lines for a log', () => {
  it('tell what came out of each task once, and nothing of gates and of tasks that only began', () => {
    const before = tasks.map((one) => ({ ...one, state: 'pending' as const }));
    expect(changedTasks(before, tasks).map(({ key }) => key)).toEqual([
      'resolve:accounts',
      'locate:shop',
      'erase:accounts',
      'verify:accounts',
      'ticket:analytics',
    ]);
    expect(changedTasks(tasks, tasks)).toEqual([]);
  });

  it('tell each failure that is tried again once, and take no poll of running work for a failure', () => {
    const polled = task('erase:mailer', 'succeeded', { attempts: 3 });
    expect(taskEventLine(polled)).toBe('erase:mailer  succeeded');
    const failed = (at: string) =>
      task('erase:mailer', 'ready', {
        next_attempt_at: at,
        error: { code: 'SYSTEM_TIMEOUT', message: 'mailer did not answer.' },
      });
    const [first, second] = [failed('2026-03-01T12:00:05.000Z'), failed('2026-03-01T12:00:09.000Z')];
    expect(changedTasks([task('erase:mailer', 'running')], [first])).toEqual([first]);
    expect(changedTasks([first], [first])).toEqual([]);
    expect(changedTasks([first], [second])).toEqual([second]);
    expect(taskEventLine(first)).toBe(
      'erase:mailer  failed, tried again at 12:00:05 UTC  SYSTEM_TIMEOUT: mailer did not answer.',
    );
    expect(taskMatrix([first], { width: 80, paint })).toEqual([
      'mailer  · erase',
      '      ↻ failed, tried again at 12:00:05 UTC. SYSTEM_TIMEOUT: mailer did not',
      '        answer.',
    ]);
    expect(taskEventLine({ ...first, failures: 3 })).toBe(
      'erase:mailer  failed 3 times in a row, tried again at 12:00:05 UTC  SYSTEM_TIMEOUT: mailer did not answer.',
    );
  });

  it('name counts, errors and tickets', () => {
    const evidence = { matched: true, counts: { a: 2, b: 1 }, retained: [], residuals: [], notes: [] };
    expect(taskEventLine(task('erase:shop', 'succeeded', { evidence }))).toBe(
      'erase:shop  succeeded  3 records',
    );
    expect(taskEventLine(task('ticket:analytics', 'waiting'))).toBe(
      'ticket:analytics  waiting  ticket tsk_ticket:analytics of team shop',
    );
    expect(
      taskEventLine(task('erase:shop', 'blocked', { error: { code: 'X', message: 'no\nrights' } })),
    ).toBe('erase:shop  blocked  X: no rights');
  });
});
