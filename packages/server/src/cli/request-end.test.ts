import type { api } from '@habeas/contract';
import { describe, expect, it } from 'vitest';
import { requestEnd } from './request-end.ts';

const request = (state: api.RequestState, changes: Partial<api.RequestView> = {}): api.RequestView => ({
  id: 'req_1',
  right: 'erasure',
  state,
  dry_run: false,
  regime: 'gdpr',
  subject_kind: 'customer',
  owner: null,
  legal_holds: [],
  approval: null,
  appeal_of: null,
  identity_types: ['email'],
  targets: [],
  purposes: [],
  lift: false,
  received_at: '2026-03-01T00:00:00Z',
  due_at: '2026-04-01T00:00:00Z',
  acknowledge_by: null,
  acknowledged_at: null,
  clock_stopped_at: null,
  waits_until: null,
  completed_at: null,
  residual_until: null,
  reason: null,
  policy_version: null,
  tasks: { total: 0, open: 0, blocked: 0 },
  matched: null,
  package: null,
  ...changes,
});

const task = (
  kind: api.TaskKind,
  state: api.TaskState,
  changes: Partial<api.TaskView> = {},
): api.TaskView => ({
  id: `tsk_${kind}_${state}`,
  request_id: 'req_1',
  key: `${kind}:shop`,
  kind,
  system: 'shop',
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
});

describe('where a request stands for somebody who waits for it', () => {
  it('is the end when it is completed, cancelled or rejected', () => {
    expect(requestEnd({ request: request('completed'), tasks: [] })).toEqual({
      exit: 'done',
      text: 'Completed.',
    });
    expect(requestEnd({ request: request('cancelled', { reason: 'asked' }), tasks: [] })).toEqual({
      exit: 'failed',
      text: 'Cancelled: asked',
    });
    expect(requestEnd({ request: request('rejected'), tasks: [] })?.exit).toBe('failed');
  });

  it('is a stop when a person or a date is next', () => {
    for (const state of ['held', 'approving', 'waiting'] as const) {
      expect(requestEnd({ request: request(state), tasks: [] })?.exit).toBe('blocked');
    }
    expect(
      requestEnd({ request: request('waiting', { waits_until: '2026-03-08T00:00:00Z' }), tasks: [] })?.text,
    ).toContain('2026-03-08');
  });

  it('goes on while anything is worked on, due, or tried again later', () => {
    for (const state of ['ready', 'running', 'waiting'] as const) {
      const tasks = [task('erase', state), task('ticket', 'waiting'), task('verify', 'blocked')];
      expect(requestEnd({ request: request('running'), tasks })).toBeUndefined();
    }
    expect(requestEnd({ request: request('received'), tasks: [] })).toBeUndefined();
    expect(requestEnd({ request: request('running'), tasks: [task('verify', 'pending')] })).toBeUndefined();
  });

  it('stops when only tickets and blocked tasks are left, and names them', () => {
    const blocked = task('verify', 'blocked', {
      error: { code: 'STILL_READABLE', message: 'shop has 2 rows.' },
    });
    const end = requestEnd({
      request: request('blocked'),
      tasks: [task('erase', 'succeeded'), blocked, task('ticket', 'waiting')],
    });
    expect(end?.exit).toBe('blocked');
    expect(end?.text).toBe(
      'verify:shop is blocked: shop has 2 rows.\nTeam shop has ticket tsk_ticket_waiting.',
    );
  });

  it('goes on while a ticket is only about to be opened', () => {
    expect(requestEnd({ request: request('running'), tasks: [task('ticket', 'ready')] })).toBeUndefined();
  });
});
