import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configSchema, newId, type StatusMapping } from '../../foundation/index.ts';
import { readStatus } from './read-status.ts';

const requestId = newId('req');
const taskId = newId('tsk');
const storedAt = new Date('2026-11-21T08:00:00Z');

function mapping(more: object = {}): StatusMapping {
  const status = [{ name: 'orders', system: 'orders', stream: 'ORDERS', subject: 'orders.>', ...more }];
  const [made] =
    configSchema.parse({ streams: { nats: { servers: ['nats://localhost'], status } } }).streams.nats
      ?.status ?? [];
  if (made === undefined) throw new Error('The mapping was not read.');
  return made;
}

const read = (body: unknown, more: object = {}, subject = 'orders.erased') =>
  readStatus(mapping(more), {
    subject,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    storedAt,
  });

describe('an event of a system', () => {
  it('of the own form of Habeas needs no mapping', () => {
    const body = {
      request_id: requestId,
      task: `${taskId}.2`,
      status: 'completed',
      at: '2026-11-21T07:00:00Z',
    };
    expect(read(body)).toEqual({
      kind: 'report',
      report: {
        requestId,
        taskId,
        generation: 2,
        status: 'completed',
        at: new Date('2026-11-21T07:00:00Z'),
        records: null,
      },
    });
  });

  it('that the system emits anyway is read by where things stand in it', () => {
    const more = {
      request_id: 'data.ticket.ref',
      status: 'type',
      completed: ['user.erased'],
      failed: ['user.erasure_failed', '500'],
      at: 'time',
      count: 'data.rows',
      only: { 'data.reason': ['gdpr', 'ccpa'], 'data.final': ['true'] },
    };
    const event = (type: unknown, data: object = {}) => ({
      type,
      time: '2026-11-21T09:00:00+01:00',
      data: { ticket: { ref: requestId }, reason: 'gdpr', final: true, rows: 3, ...data },
    });
    expect(read(event('user.erased'), more)).toMatchObject({
      report: { status: 'completed', at: storedAt, records: 3, taskId: null, generation: null },
    });
    expect(read(event(500), more)).toMatchObject({ report: { status: 'failed' } });
    expect(read(event('user.erased', { reason: 'inactive' }), more)).toEqual({ kind: 'skipped' });
    expect(read(event('user.erased', { final: false }), more)).toEqual({ kind: 'skipped' });
    expect(read(event('user.erased', { ticket: { ref: 'JIRA-7' } }), more)).toEqual({ kind: 'skipped' });
  });

  it('may say all by its subject', () => {
    const more = { request_id: 'subject.2', means: 'completed' as const };
    expect(read('', more, `orders.${requestId}.erased`)).toMatchObject({
      report: { requestId, status: 'completed', at: storedAt },
    });
  });

  it('that is about a request and cannot be read says where, and nothing of what stands there', () => {
    const good = { request_id: requestId, status: 'completed' };
    for (const [body, why] of [
      [{ ...good, status: 'ada@example.org' }, 'status has no value that the mapping names'],
      [{ ...good, task: 'ada@example.org' }, 'task is neither the id of a task nor its idempotency key'],
      [{ ...good, at: 'ada@example.org' }, 'at is no time after RFC 3339'],
      [{ ...good, at: '2026-13-41T00:00:00Z' }, 'at is no time after RFC 3339'],
    ] as const)
      expect(read(body)).toEqual({ kind: 'unreadable', why });
    expect(read({ ...good, rows: -1 }, { count: 'rows' })).toEqual({
      kind: 'unreadable',
      why: 'rows is no count',
    });
  });

  it('of any other form is passed over and never breaks anything', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.json(), fc.string(), fc.constant('{"__proto__":{"request_id":"x"}}')),
        (body) => {
          expect(read(body).kind).toBe('skipped');
        },
      ),
    );
  });
});
