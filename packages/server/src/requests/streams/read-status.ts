import type { StatusMapping } from '../../foundation/index.ts';

/** An event of a system, as a stream gave it. */
export interface StreamMessage {
  readonly subject: string;
  readonly body: string;
  /** When the stream took it. */
  readonly storedAt: Date;
}

/** What an event says about the work on a request. No personal data: an id, names and a time. */
export interface StatusReport {
  readonly requestId: string;
  /** Id of the task; null: it names none. */
  readonly taskId: string | null;
  /** Which of the task's operations it names by its idempotency key; null: it names none. */
  readonly generation: number | null;
  readonly status: 'in-progress' | 'completed' | 'failed';
  readonly at: Date;
  readonly records: number | null;
}

/** `skipped`: it is about something else. `unreadable`: it should be about a request, and cannot be read. */
export type ReadStatus =
  | { readonly kind: 'report'; readonly report: StatusReport }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'unreadable'; readonly why: string };

const SKIPPED: ReadStatus = { kind: 'skipped' };
const unreadable = (why: string): ReadStatus => ({ kind: 'unreadable', why });

const REQUEST_ID = /^req_[0-9a-z]{20,40}$/;
const TASK = /^(tsk_[0-9a-z]{20,40})(?:\.([1-9]\d{0,5}))?$/;
/** RFC 3339. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * Reads an event that a system emits anyway, by the mapping of the configuration. What it says in `why` names places in the event
 * and never what stands there.
 */
export function readStatus(mapping: StatusMapping, message: StreamMessage): ReadStatus {
  let json: unknown;
  try {
    json = JSON.parse(message.body);
  } catch {
    json = undefined;
  }
  const value = (path: string) => valueAt(path, json, message.subject);
  const isWanted = Object.entries(mapping.only).every(([path, wanted]) => {
    const found = textOf(value(path));
    return found !== undefined && wanted.includes(found);
  });
  if (!isWanted) return SKIPPED;
  const requestId = textOf(value(mapping.request_id));
  // Most events of a system are not about a request of Habeas.
  if (requestId === undefined || !REQUEST_ID.test(requestId)) return SKIPPED;
  const status = statusOf(mapping, textOf(value(mapping.status)));
  if (status === undefined) return unreadable(`${mapping.status} has no value that the mapping names`);
  const task = readTask(value(mapping.task));
  if (task === undefined)
    return unreadable(`${mapping.task} is neither the id of a task nor its idempotency key`);
  const at = readTime(value(mapping.at), message.storedAt);
  if (at === undefined) return unreadable(`${mapping.at} is no time after RFC 3339`);
  const records = mapping.count === undefined ? null : readCount(value(mapping.count));
  if (records === undefined) return unreadable(`${mapping.count} is no count`);
  return { kind: 'report', report: { requestId, ...task, status, at, records } };
}

function statusOf(mapping: StatusMapping, said: string | undefined): StatusReport['status'] | undefined {
  if (mapping.means !== undefined) return mapping.means;
  if (said === undefined) return undefined;
  if (mapping.completed.includes(said)) return 'completed';
  if (mapping.failed.includes(said)) return 'failed';
  return mapping.in_progress.includes(said) ? 'in-progress' : undefined;
}

function readTask(value: unknown): Pick<StatusReport, 'taskId' | 'generation'> | undefined {
  if (value === undefined || value === null) return { taskId: null, generation: null };
  const match = typeof value === 'string' ? TASK.exec(value) : null;
  if (match?.[1] === undefined) return undefined;
  return { taskId: match[1], generation: match[2] === undefined ? null : Number(match[2]) };
}

function readTime(value: unknown, storedAt: Date): Date | undefined {
  if (value === undefined || value === null) return storedAt;
  if (typeof value !== 'string' || !TIME.test(value)) return undefined;
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

function readCount(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Own properties only; `subject.2` is a part of the subject where the JSON has nothing under that name. */
function valueAt(path: string, json: unknown, subject: string): unknown {
  const names = path.split('.');
  let value = json;
  for (const name of names) {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    value = isObject ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  }
  const [first, part] = names;
  if (value === undefined && first === 'subject' && names.length === 2 && /^\d+$/.test(part ?? ''))
    return subject.split('.')[Number(part) - 1];
  return value;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
