import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import type { PurposeBits } from '../purposes/index.ts';
import { type FoldOptions, hasExpired, type MergeRule, type Validity } from './fold.ts';
import { type Accepted, accept, type Outcome, refusalOf, type Signal } from './signal.ts';
import {
  goOn,
  loadStatements,
  type PreparedAddition,
  prepareAddition,
  saveSignatures,
} from './signatures.ts';
import { prepareSignals, storeSignals } from './store-signals.ts';
import type { Subjects } from './subjects.ts';

export interface RecordOptions {
  readonly organizationId: string;
  readonly subjects: Subjects;
  readonly purposes: PurposeBits;
  readonly now: Date;
  /** (Default: latest) */
  readonly rule?: MergeRule;
  /** (Default: every agreement counts for ever) */
  readonly validities?: readonly Validity[];
}

/**
 * Stores signals and what they come to in the caller's transaction, so that both are there or neither. The signature is the same in
 * whatever order signals arrive, late or twice, and however many transactions store signals of one person at once. Outcomes are in the
 * order of the signals. Identities must be normalized by whoever calls.
 */
export async function recordSignals(
  transaction: Database,
  signals: readonly Signal[],
  options: RecordOptions,
): Promise<readonly Outcome[]> {
  const counting = { rule: options.rule, validities: options.validities, now: options.now.getTime() };
  const outcomes: Outcome[] = [];
  const accepted: Accepted[] = [];
  for (const [place, signal] of signals.entries()) {
    const refused = refusalOf(signal, options);
    outcomes.push(refused ?? 'stored');
    if (refused === undefined) accepted.push(accept(signal, place, options.purposes));
  }
  if (accepted.length === 0) return outcomes;
  // What needs no answer of the database is done while it works.
  const turn = takeTurn(transaction, options.organizationId);
  const asked = options.subjects.prepare(accepted.map(({ place }) => (signals[place] as Signal).identity));
  await turn;
  const numbering = options.subjects.number(transaction, asked);
  const prepared = prepareSignals(accepted);
  const { numbers, firstNew } = await numbering;
  const storing = storeSignals(transaction, { ...options, prepared, subjects: numbers });
  const expected = sortOut(accepted, numbers, { firstNew, counting });
  const found = await storing;
  for (const [index, { place }] of accepted.entries()) outcomes[place] = found[index] ?? 'stored';
  const stored = (_: unknown, index: number) => found[index] === 'stored';
  await addToSignatures(
    transaction,
    options.organizationId,
    found.every((outcome) => outcome === 'stored')
      ? expected
      : sortOut(accepted.filter(stored), numbers.filter(stored), { firstNew, counting }),
  );
  return outcomes;
}

/**
 * Those who store signals of an organization take turns, from here to the end of their transactions: of the people whose signals are
 * stored, each has one writer. A thousand keys are looked up one by one: PostgreSQL would read all of a table of a hundred thousand
 * people instead, because it believes that a page at another place takes four times as long as the next one.
 * Nothing in such a transaction is worth compiling, what its caller does in it included.
 */
export async function takeTurn(transaction: Database, organizationId: string): Promise<void> {
  await sql`
    select set_config('random_page_cost', '1', true), set_config('enable_hashjoin', 'off', true),
      set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true),
      pg_advisory_xact_lock(hashtextextended(${`consent signals of ${organizationId}`}, 0))`.execute(
    transaction,
  );
}

/** How statements get into signatures. */
interface SortedOut {
  /** Of people who were not there before this transaction. */
  readonly added: ReadonlyMap<number, readonly Accepted[]>;
  /** To go on from what there is, where they are later than it. */
  readonly later: PreparedAddition;
  /** Of these people all has to be read again. */
  readonly anew: readonly number[];
  readonly counting: FoldOptions;
}

function sortOut(
  accepted: readonly Accepted[],
  numbers: readonly number[],
  { firstNew, counting }: { readonly firstNew: number; readonly counting: FoldOptions },
): SortedOut {
  const added = new Map<number, Accepted[]>();
  const later = new Map<number, Accepted[]>();
  const anew = new Set<number>();
  for (const [index, one] of accepted.entries()) {
    const subject = numbers[index] as number;
    const group = subject >= firstNew ? added : later;
    const others = group.get(subject);
    if (others === undefined) group.set(subject, [one]);
    else others.push(one);
    const isNoStep = one.automatic || one.inherited || hasExpired(one, counting);
    if (isNoStep && group === later) anew.add(subject);
  }
  for (const subject of anew) later.delete(subject);
  return { added, later: prepareAddition(later, counting), anew: [...anew], counting };
}

/** Goes on from the signature where all that is new is later than all that it came from; otherwise begins anew. */
async function addToSignatures(
  transaction: Database,
  organizationId: string,
  { added, later, anew, counting }: SortedOut,
): Promise<void> {
  const late = [...anew, ...(await goOn(transaction, organizationId, later))];
  const all = await loadStatements(transaction, organizationId, late);
  await saveSignatures(transaction, organizationId, new Map([...added, ...all]), counting);
}
