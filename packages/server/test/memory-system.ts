import type {
  Capability,
  ChangeMode,
  ChangeWork,
  CollectSources,
  CollectStep,
  Connector,
  Evidence,
  KeyBatch,
  LocatedScope,
  Outcome,
  PlannableSystem,
  Residue,
  RunningOperation,
  Scope,
  Systems,
} from '../src/connectors/index.ts';
import { HabeasError } from '../src/foundation/index.ts';

export interface MemoryRow {
  readonly email: string;
  readonly [column: string]: string | number | null;
}

/** A system that lives in memory, answers the connector's contract and can be told to misbehave. */
export class MemorySystem implements Connector {
  readonly capabilities: ReadonlySet<Capability> = new Set([
    'resolve',
    'collect',
    'locate',
    'erase',
    'rectify',
    'restrict',
    'object',
    'verify',
  ]);
  readonly key: string;
  rows: MemoryRow[];
  /** Idempotency key → how often its erasure took effect. */
  readonly effects = new Map<string, number>();
  readonly calls: string[] = [];
  /** Runs before each call; throws to make the call fail, or waits to make it slow. */
  before: (method: string) => Promise<void> | void = () => undefined;
  /** Marks rows as deleted and keeps them. */
  softDeletes = false;
  /** Answers that it erased and keeps the rows. */
  keepsData = false;
  /** Gives more rows than a piece of storage holds, and then fails. */
  failsAfterRows = false;
  /** Answers "pending" this often before an erasure or a collection is done. */
  pendingAnswers = 0;
  /** A column that takes at most 20 characters. */
  refuses: string | undefined;
  lastCallback: Scope['callback'];
  /** Idempotency key → the identities that it came with first. */
  readonly #asked = new Map<string, string>();
  residuals: Evidence['residuals'] = [];
  /** Identity types that it finds people by. */
  needs: readonly ('email' | 'user_id')[] = ['email'];
  /** Identity types that it tells. */
  resolves: readonly ('email' | 'user_id')[] = ['user_id'];

  constructor(key: string, rows: readonly MemoryRow[]) {
    this.key = key;
    this.rows = [...rows];
  }

  #own(scope: Scope): MemoryRow[] {
    const known = new Set(scope.identities.map(({ type, value }) => `${type}=${value}`));
    return this.rows.filter((row) => this.needs.some((type) => known.has(`${type}=${row[type]}`)));
  }

  async #enter(method: string, scope: Scope): Promise<void> {
    this.calls.push(method);
    this.lastCallback = scope.callback;
    const question = JSON.stringify(scope.identities);
    const known = this.#asked.get(`${method} ${scope.idempotencyKey}`);
    if (known !== undefined && known !== question)
      throw new HabeasError('SYSTEM_REFUSED', `${this.key} was asked something else under this key before`);
    this.#asked.set(`${method} ${scope.idempotencyKey}`, question);
    await this.before(method);
    scope.signal.throwIfAborted();
  }

  async check() {
    return { ok: true, message: `${this.key} lives in memory`, problems: [] };
  }

  async resolve(scope: Scope) {
    await this.#enter('resolve', scope);
    // With what it tells it finds more of the person, as a store's own traversal does.
    let told: readonly { type: string; value: string }[] = [];
    for (let before = -1; before < told.length; ) {
      before = told.length;
      const identities = [...scope.identities, ...told];
      told = this.#own({ ...scope, identities }).flatMap((row) =>
        this.resolves.flatMap((type) => {
          const value = row[type];
          return typeof value === 'string' ? [{ type, value }] : [];
        }),
      );
    }
    return told;
  }

  async *locate(scope: Scope): AsyncIterable<KeyBatch> {
    await this.#enter('locate', scope);
    const own = this.#own(scope);
    const keys = own.map((row) => row.email);
    if (keys.length > 0) yield { collection: 'rows', columns: ['email'], count: keys.length, keys };
  }

  /** By where the values are from, as each collection asked. */
  readonly asked: CollectSources[] = [];

  async *collect(scope: Scope, sources: CollectSources = 'all'): AsyncIterable<CollectStep> {
    this.asked.push(sources);
    await this.#enter('collect', scope);
    if (this.pendingAnswers > 0) {
      this.pendingAnswers -= 1;
      yield { state: 'pending', operation: `operation of ${scope.idempotencyKey}`, retryAfterSeconds: 3_600 };
      return;
    }
    const own = this.#own(scope);
    for (const row of own) yield { state: 'item', item: { collection: 'rows', row } };
    if (this.failsAfterRows) {
      const row = { text: 'x'.repeat(400_000) };
      for (const collection of ['a', 'b']) yield { state: 'item', item: { collection, row } };
      throw new HabeasError('SYSTEM_GARBAGE', 'broken off in the middle');
    }
    yield { state: 'done', evidence: evidence(own.length) };
  }

  async erase(scope: LocatedScope, mode: 'erase' | 'dry-run'): Promise<Outcome> {
    await this.#enter('erase', scope);
    if (this.pendingAnswers > 0) {
      this.pendingAnswers -= 1;
      return {
        state: 'pending',
        operation: `operation of ${scope.idempotencyKey}`,
        retryAfterSeconds: 3_600,
      };
    }
    const located = new Set<string>();
    for await (const batch of scope.keys()) for (const email of batch.keys) located.add(email);
    const own = this.rows.filter((row) => located.has(row.email));
    if (mode === 'erase' && !this.keepsData && !this.softDeletes) {
      this.rows = this.rows.filter((row) => !located.has(row.email));
      if (own.length > 0)
        this.effects.set(scope.idempotencyKey, (this.effects.get(scope.idempotencyKey) ?? 0) + 1);
    }
    if (this.softDeletes) {
      this.rows = this.rows.map((row) => (own.includes(row) ? { ...row, deleted: 'yes' } : row));
      const count = own.length;
      const effect = { found: count, erased: 0, masked: 0, hidden: count, kept: 0, level: 'hidden' } as const;
      return { state: 'done', evidence: { ...evidence(own.length), effects: { rows: effect } } };
    }
    const count = mode === 'erase' && scope.unanswered === true ? located.size : own.length;
    return { state: 'done', evidence: { ...evidence(count), residuals: this.residuals } };
  }

  async verify(scope: LocatedScope): Promise<Residue> {
    await this.#enter('verify', scope);
    const own = this.#own(scope);
    const hidden = own.filter((row) => row.deleted === 'yes').length;
    const remaining = { rows: own.length - hidden };
    return hidden === 0 ? { remaining, retained: [] } : { remaining, retained: [], hidden: { rows: hidden } };
  }

  /** Columns: what follows the last dot of a category; `restricted` and `objections` for flags. */
  async change(scope: LocatedScope, work: ChangeWork, mode: ChangeMode): Promise<Outcome> {
    await this.#enter(`${work.kind} ${mode}`, scope);
    const located = new Set<string>();
    for await (const batch of scope.keys()) for (const email of batch.keys) located.add(email);
    const own = new Set([...this.rows.filter((row) => located.has(row.email)), ...this.#own(scope)]);
    const changed = new Map([...own].map((row) => [row, this.#changed(row, work)]));
    const count = [...changed].filter(([row, after]) => JSON.stringify(row) !== JSON.stringify(after)).length;
    if (mode === 'change' && !this.keepsData && count > 0) {
      this.rows = this.rows.map((row) => changed.get(row) ?? row);
      this.effects.set(scope.idempotencyKey, (this.effects.get(scope.idempotencyKey) ?? 0) + 1);
    }
    return { state: 'done', evidence: { ...evidence(count), matched: own.size > 0 } };
  }

  #changed(row: MemoryRow, work: ChangeWork): MemoryRow {
    if (work.kind === 'restrict') return { ...row, restricted: work.effect === 'set' ? 'yes' : null };
    if (work.kind === 'object')
      return { ...row, objections: work.effect === 'set' ? work.purposes.join(' ') || work.right : null };
    const values = work.changes.flatMap(({ target, from, to }) => {
      const column = target.slice(target.lastIndexOf('.') + 1);
      if (column === this.refuses && String(to).length > 20)
        throw new HabeasError('VALUE_INVALID', `A new value does not fit ${this.key}.rows.${column}.`);
      if (typeof to === 'boolean' || (from !== undefined && from !== row[column])) return [];
      return row[column] === undefined ? [] : [[column, to] as const];
    });
    return { ...row, ...Object.fromEntries(values) };
  }

  /** Operations that it was asked to stop. */
  readonly cancelled: string[] = [];

  async cancel({ operation }: RunningOperation): Promise<void> {
    await this.before('cancel');
    this.cancelled.push(operation);
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }
}

function evidence(count: number): Evidence {
  return { matched: count > 0, counts: { rows: count }, retained: [], residuals: [], notes: [] };
}

/** Systems for the request room: some in memory, some by ticket. */
export function memorySystems(
  systems: readonly MemorySystem[],
  tickets: readonly { key: string; team: string }[] = [],
): Systems {
  const byKey = new Map(systems.map((system) => [system.key, system]));
  return {
    sweep: async () => undefined,
    plannable: async () => [
      ...systems.map(
        (system): PlannableSystem => ({
          key: system.key,
          team: `team-${system.key}`,
          by: 'connection',
          capabilities: system.capabilities,
          needs: system.needs,
          resolves: system.resolves,
          dataTypes: ['email'],
        }),
      ),
      ...tickets.map(
        (ticket): PlannableSystem => ({
          ...ticket,
          by: 'ticket',
          capabilities: new Set(),
          needs: [],
          resolves: [],
          dataTypes: ['ip'],
        }),
      ),
    ],
    blindSpots: async () => [],
    async connector(key) {
      const found = byKey.get(key);
      if (found === undefined) throw new HabeasError('ADDRESS_NOT_APPROVED', `nothing answers for ${key}`);
      return found;
    },
    concurrency: () => 4,
    close: async () => undefined,
  };
}
