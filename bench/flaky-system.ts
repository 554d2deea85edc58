import type {
  Capability,
  CollectStep,
  Connector,
  Evidence,
  LocatedScope,
  Outcome,
  Residue,
  Scope,
} from '../packages/server/src/connectors/index.ts';
import { type Clock, HabeasError } from '../packages/server/src/foundation/index.ts';

const DAY_MILLISECONDS = 86_400_000;

export interface Troubles {
  /** Part of the calls that fail before they do anything. */
  readonly transient: number;
  /** Part of the erasures whose reply is lost after they took effect. */
  readonly lostReplies: number;
  /** Part of the erasures that go on for days, and are reported when they end. */
  readonly asynchronous: number;
  /** Part of the reports that come twice. */
  readonly duplicates: number;
}

export interface FlakySystemOptions {
  readonly key: string;
  readonly clock: Clock;
  readonly troubles: Troubles;
  /** In [0, 1). */
  readonly random: () => number;
  /** It answers nobody before this time. (Default: it always answers) */
  readonly downUntil?: Date;
  /** Takes the report that an operation of a task ended. */
  readonly report: (taskId: string, times: 1 | 2) => void;
}

/** A system that holds people in memory and fails in the ways in which systems on a network fail. */
export class FlakySystem implements Connector {
  readonly capabilities: ReadonlySet<Capability> = new Set(['collect', 'erase', 'verify']);
  readonly people = new Set<string>();
  /** Idempotency key → how often its erasure took effect. */
  readonly effects = new Map<string, number>();
  calls = 0;
  readonly #options: FlakySystemOptions;
  /** Idempotency key → when the operation ends. */
  readonly #operations = new Map<string, Date>();
  readonly #ends: { readonly at: Date; readonly taskId: string }[] = [];

  constructor(options: FlakySystemOptions) {
    this.#options = options;
  }

  /** Reports what has ended meanwhile: some twice. */
  tell(): void {
    const { clock, random, report, troubles } = this.#options;
    while ((this.#ends[0]?.at ?? new Date(8e15)) <= clock.now()) {
      const end = this.#ends.shift();
      if (end !== undefined) report(end.taskId, random() < troubles.duplicates ? 2 : 1);
    }
  }

  #enter(): void {
    const { clock, downUntil, key, random, troubles } = this.#options;
    this.calls += 1;
    const isDown = downUntil !== undefined && clock.now() < downUntil;
    if (isDown || random() < troubles.transient)
      throw new HabeasError('SYSTEM_UNREACHABLE', `${key} does not answer`, { retryable: true });
  }

  async check() {
    return { ok: true, message: '', problems: [] };
  }

  async *collect(scope: Scope): AsyncIterable<CollectStep> {
    this.#enter();
    const held = this.#held(scope);
    for (const person of held) yield { state: 'item', item: { collection: 'people', row: { person } } };
    yield { state: 'done', evidence: evidenceOf(held.length) };
  }

  async erase(scope: LocatedScope): Promise<Outcome> {
    this.#enter();
    const { clock, key, random, troubles } = this.#options;
    const { idempotencyKey } = scope;
    const now = clock.now();
    const ends = this.#operations.get(idempotencyKey);
    if (ends === undefined && !this.effects.has(idempotencyKey) && random() < troubles.asynchronous) {
      const at = new Date(now.getTime() + (0.1 + 2 * random()) * DAY_MILLISECONDS);
      this.#operations.set(idempotencyKey, at);
      this.#ends.push({ at, taskId: idempotencyKey.split('.')[0] ?? '' });
      this.#ends.sort((one, other) => one.at.getTime() - other.at.getTime());
      return pending(idempotencyKey);
    }
    if (ends !== undefined && ends > now) return pending(idempotencyKey);
    const held = this.#held(scope);
    if (!this.effects.has(idempotencyKey)) {
      for (const person of held) this.people.delete(person);
      this.effects.set(idempotencyKey, held.length);
      if (random() < troubles.lostReplies)
        throw new HabeasError('SYSTEM_TIMEOUT', `${key} did not answer in time`, { retryable: true });
    }
    // Under a key that it knows it gives the answer that it gave, or would have given, and does nothing.
    return { state: 'done', evidence: evidenceOf(this.effects.get(idempotencyKey) ?? 0) };
  }

  async verify(scope: LocatedScope): Promise<Residue> {
    this.#enter();
    return { remaining: { people: this.#held(scope).length }, retained: [] };
  }

  async close(): Promise<void> {
    // It lives in memory.
  }

  #held(scope: Scope): readonly string[] {
    return scope.identities.map(({ value }) => value).filter((value) => this.people.has(value));
  }
}

function pending(idempotencyKey: string): Outcome {
  return { state: 'pending', operation: `operation of ${idempotencyKey}`, retryAfterSeconds: 12 * 3_600 };
}

function evidenceOf(count: number): Evidence {
  return { matched: count > 0, counts: { people: count }, retained: [], residuals: [], notes: [] };
}
