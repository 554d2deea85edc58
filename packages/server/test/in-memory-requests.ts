import { createHash } from 'node:crypto';
import type { api } from '@habeas/contract';
import { HabeasError, newId } from '../src/foundation/index.ts';
import type { Caller, Page, Requests, SystemCallback } from '../src/requests/index.ts';

const AT = '2026-03-01T12:00:00.000Z';

export interface InMemoryRequests extends Requests {
  /** Callbacks that came in, as they were handed over. */
  readonly callbacks: SystemCallback[];
  /** Puts a finished access request with this package there. */
  addFinished(organizationId: string, bytes: Uint8Array): api.RequestView;
  /** Puts an open ticket there. */
  addTicket(organizationId: string): api.TicketDetail;
}

/** The request room without a database and without workers, for tests of the faces: everything stays as it is put. */
export function inMemoryRequests(): InMemoryRequests {
  const requests = new Map<string, api.RequestView>();
  const packages = new Map<string, Uint8Array>();
  const tickets = new Map<string, api.TicketDetail>();
  const keys = new Map<string, { readonly body: string; readonly id: string }>();
  const callbacks: SystemCallback[] = [];
  const holds = new Map<string, api.LegalHoldView>();

  const at = ({ organizationId }: { organizationId: string }, id: string) => `${organizationId} ${id}`;
  const find = <Value>(map: ReadonlyMap<string, Value>, caller: Caller, id: string): Value => {
    const found = map.get(at(caller, id));
    if (found === undefined) throw new HabeasError('NOT_FOUND', 'There is nothing with this id.');
    return found;
  };
  const pageOf = <Item extends { readonly id: string }>(
    map: ReadonlyMap<string, Item>,
    caller: Caller,
    query: { readonly limit: number; readonly cursor?: string | undefined },
  ): Page<Item> => {
    const all = [...map]
      .filter(([key]) => key.startsWith(`${caller.organizationId} `))
      .map(([, item]) => item);
    const start = query.cursor === undefined ? 0 : all.findIndex((item) => item.id === query.cursor) + 1;
    const items = all.slice(start, start + query.limit);
    return { items, next: start + query.limit < all.length ? (items.at(-1)?.id ?? null) : null };
  };
  const publicTicket = ({ identities: _, changes: __, ...ticket }: api.TicketDetail): api.TicketView =>
    ticket;

  const pauses: api.PauseView[] = [];

  return {
    pauses: {
      list: async () => [...pauses],
      heeded: () => [...pauses],
      stops: () => false,
      refresh: async () => false,
      async pause(target, { actor, reason }) {
        const system = target.scope === 'system' ? target.system : null;
        pauses.push({ scope: target.scope, system, reason, paused_by: actor, paused_at: AT });
      },
      async resume(target) {
        const system = target.scope === 'system' ? target.system : null;
        pauses.splice(0, pauses.length, ...pauses.filter((pause) => pause.system !== system));
      },
    },
    failingSystems: async () => [],
    takeReport: async () => undefined,
    callbacks,
    addFinished(organizationId, bytes) {
      const request: api.RequestView = {
        ...newRequest({ right: 'access', dryRun: false, identityTypes: ['email'] }),
        state: 'completed',
        package: {
          id: newId('pkg'),
          bytes: bytes.length,
          sha256: createHash('sha256').update(bytes).digest('hex'),
          expires_at: AT,
        },
      };
      requests.set(at({ organizationId }, request.id), request);
      packages.set(at({ organizationId }, request.id), bytes);
      return request;
    },
    addTicket(organizationId) {
      const ticket: api.TicketDetail = {
        id: newId('tsk'),
        request_id: newId('req'),
        right: 'access',
        team: 'data',
        system: 'analytics',
        state: 'open',
        instructions: 'Hand over everything about this person.',
        data_types: ['email'],
        opened_at: AT,
        due_at: AT,
        ended_at: null,
        note: null,
        identities: [{ type: 'email', value: 'ada@example.org' }],
        changes: [],
      };
      tickets.set(at({ organizationId }, ticket.id), ticket);
      return ticket;
    },
    async receive(caller, options) {
      const body = JSON.stringify([options.right, options.identities, options.dryRun]);
      const before = keys.get(at(caller, options.idempotencyKey ?? ''));
      if (before !== undefined) {
        if (before.body !== body) {
          throw new HabeasError('IDEMPOTENCY_KEY_REUSED', 'This key was used with another body.');
        }
        return { request: find(requests, caller, before.id), replayed: true };
      }
      const identityTypes = options.identities.map((identity) => identity.type);
      const request = newRequest({ right: options.right, dryRun: options.dryRun, identityTypes });
      requests.set(at(caller, request.id), request);
      if (options.idempotencyKey !== undefined)
        keys.set(at(caller, options.idempotencyKey), { body, id: request.id });
      return { request, replayed: false };
    },
    async appeal(caller, requestId) {
      const { right, dry_run: dryRun, identity_types: identityTypes } = find(requests, caller, requestId);
      const request = { ...newRequest({ right, dryRun, identityTypes }), appeal_of: requestId };
      requests.set(at(caller, request.id), request);
      return { request, replayed: false };
    },
    verification: undefined,
    async mails(caller, id) {
      find(requests, caller, id);
      return [];
    },
    recordBounce: async () => ({ outcome: 'not-ours', request_id: null }),
    get: async (caller, id) => find(requests, caller, id),
    legalHolds: {
      async place(caller, { scope, reason }) {
        const hold: api.LegalHoldView = {
          id: newId('lho'),
          scope: scope.kind,
          system: scope.kind === 'system' ? scope.system : null,
          category: scope.kind === 'category' ? scope.category : null,
          identity_types: scope.kind === 'subject' ? scope.identities.map(({ type }) => type) : [],
          reason,
          placed_by: caller.actor,
          placed_at: AT,
          released_by: null,
          released_at: null,
          release_reason: null,
          requests: [],
        };
        holds.set(at(caller, hold.id), hold);
        return hold;
      },
      async release(caller, id, reason) {
        const released = {
          ...find(holds, caller, id),
          released_by: caller.actor,
          released_at: AT,
          release_reason: reason,
        };
        holds.set(at(caller, id), released);
        return released;
      },
      get: async (caller, id) => find(holds, caller, id),
      list: async (caller, query) => pageOf(holds, caller, query),
    },
    deadline: async (caller, id) => newDeadline(find(requests, caller, id)),
    commandDeadline: async (caller, id) => newDeadline(find(requests, caller, id)),
    dueFigures: async () => ({
      open: [{ right: 'access', regime: 'gdpr', stage: 'late', count: 2 }],
      unacknowledged: 1,
      nextDueAt: new Date(AT),
      stoppedSince: null,
    }),
    list: async (caller, query) => pageOf(requests, caller, query),
    async plan(caller, id) {
      const request = find(requests, caller, id);
      return newPlan(request.right, request.dry_run);
    },
    preview: async (_caller, options) => newPlan(options.right, options.dryRun),
    async tasks(caller, id) {
      return [newTask(find(requests, caller, id).id)];
    },
    async command(caller, id, command) {
      const request = find(requests, caller, id);
      if (request.state === 'completed') {
        throw new HabeasError('CONFLICT', 'The request is completed.');
      }
      const states = {
        cancel: 'cancelled',
        hold: 'held',
        reject: 'rejected',
        release: 'running',
        approve: 'running',
      } as const;
      const changed: api.RequestView = {
        ...request,
        state: states[command.type],
        reason: 'reason' in command ? command.reason : null,
      };
      requests.set(at(caller, id), changed);
      return changed;
    },
    async commandTask(caller, id, taskId, command) {
      const task = newTask(find(requests, caller, id).id);
      return { ...task, id: taskId, state: command.type === 'skip' ? 'skipped' : 'ready' };
    },
    async listTickets(caller, query) {
      const { items, next } = pageOf(tickets, caller, query);
      return { items: items.map(publicTicket), next };
    },
    getTicket: async (caller, id) => find(tickets, caller, id),
    async closeTicket(caller, id, close) {
      const closed: api.TicketDetail = { ...find(tickets, caller, id), state: 'closed', note: close.note };
      tickets.set(at(caller, id), closed);
      return publicTicket(closed);
    },
    async rejectTicket(caller, id, reason) {
      const rejected: api.TicketDetail = { ...find(tickets, caller, id), state: 'rejected', note: reason };
      tickets.set(at(caller, id), rejected);
      return publicTicket(rejected);
    },
    async reassignTicket(caller, id, { team }) {
      const handed: api.TicketDetail = { ...find(tickets, caller, id), team };
      tickets.set(at(caller, id), handed);
      return publicTicket(handed);
    },
    async openPackage(caller, id, form) {
      const request = find(requests, caller, id);
      const bytes = packages.get(at(caller, id));
      if (bytes === undefined || request.package === null) {
        throw new HabeasError('CONFLICT', 'The request has no package.');
      }
      const { id: packageId, sha256, expires_at: expiresAt } = request.package;
      return {
        id: packageId,
        requestId: id,
        // Nothing is sealed here; the form only has another length.
        bytes: form === 'zip' ? bytes.length : bytes.length - 1,
        sha256,
        expiresAt: new Date(expiresAt),
        identity: PACKAGE_KEY,
        read: async ({ start, end }) => inPieces(Buffer.from(bytes.subarray(start, end))),
      };
    },
    async packageKey(caller, id) {
      const { package: made } = find(requests, caller, id);
      if (made === null) throw new HabeasError('NOT_FOUND', 'The request has no package.');
      return { package_id: made.id, identity: PACKAGE_KEY, expires_at: made.expires_at };
    },
    async receipt(caller, id) {
      find(requests, caller, id);
      throw new HabeasError('CONFLICT', 'The request is not finished.');
    },
    async systemCallback(callback) {
      callbacks.push(callback);
      if (callback.headers['webhook-signature'] === undefined) {
        throw new HabeasError('UNAUTHENTICATED', 'The callback is not signed.');
      }
    },
    start: async () => undefined,
    processingChoices: async (_caller, people) =>
      people.map(() => ({
        restricted: false,
        objections: [],
        opted_out_of_sale: false,
        sensitive_data_limited: false,
      })),
    processingChoiceCounts: async () => ({ restriction: 0 }),
    stop: async () => undefined,
  };
}

const PACKAGE_KEY = 'AGE-SECRET-KEY-1TEST';

async function* inPieces(bytes: Buffer): AsyncIterable<Buffer> {
  for (let start = 0; start < bytes.length; start += 64 * 1024)
    yield bytes.subarray(start, start + 64 * 1024);
}

function newRequest(options: {
  readonly right: api.Right;
  readonly dryRun: boolean;
  readonly identityTypes: readonly string[];
}): api.RequestView {
  return {
    id: newId('req'),
    right: options.right,
    state: 'received',
    dry_run: options.dryRun,
    regime: 'gdpr',
    approval: null,
    appeal_of: null,
    subject_kind: 'customer',
    owner: null,
    legal_holds: [],
    identity_types: [...options.identityTypes],
    targets: [],
    purposes: [],
    lift: false,
    received_at: AT,
    due_at: AT,
    acknowledge_by: null,
    acknowledged_at: null,
    clock_stopped_at: null,
    waits_until: null,
    completed_at: null,
    residual_until: null,
    reason: null,
    policy_version: null,
    tasks: { total: 1, open: 1, blocked: 0 },
    matched: null,
    package: null,
  };
}

function newTask(requestId: string): api.TaskView {
  return {
    id: newId('tsk'),
    request_id: requestId,
    key: 'collect:shop',
    kind: 'collect',
    system: 'shop',
    team: 'shop',
    state: 'ready',
    depends_on: [],
    attempts: 0,
    failures: 0,
    note: null,
    next_attempt_at: null,
    started_at: null,
    ended_at: null,
    error: null,
    evidence: null,
  };
}

function newPlan(right: api.Right, dryRun: boolean): api.PlanView {
  return { right, dry_run: dryRun, policy_version: '1', hash: 'ab', tasks: [], kept: [], gaps: [] };
}

function newDeadline(request: api.RequestView): api.DeadlineView {
  return {
    request_id: request.id,
    regime: request.regime ?? 'gdpr',
    received_at: request.received_at,
    due_at: request.due_at,
    acknowledge_by: request.acknowledge_by,
    acknowledged_at: request.acknowledged_at,
    clock_stopped_at: request.clock_stopped_at,
    explanation: [],
    changes: [],
  };
}
