import { sql } from 'kysely';
import type { Identity } from '../../catalog/index.ts';
import { type Database, sha256 } from '../../foundation/index.ts';
import type { PurposeBits } from '../purposes/index.ts';
import { fold, foldLater, NOTHING_SAID, type Signature, type Statement } from './fold.ts';
import type { Subjects } from './subjects.ts';

/** One statement of consent, as it arrives. */
export interface Signal {
  /** Chosen by who sends it, so that sending it again changes nothing. */
  readonly eventId: string;
  readonly identity: Identity;
  readonly saidAt: Date;
  /** By the codes of purposes: granted or refused. */
  readonly choices: Readonly<Record<string, boolean>>;
  /** `tag`, `api`, `sdk`, `file`, `gpc`, `tcf`, `gpp` or `request`. */
  readonly source: string;
  /** What the person was shown. */
  readonly notice?: { readonly version: string; readonly language: string; readonly variant: string };
}

/** What became of a signal. `repeated`: it was here before, and says the same. */
export type Outcome = 'stored' | 'repeated' | { readonly refused: Refusal; readonly reason: string };
export type Refusal = 'unknown-purpose' | 'future' | 'event-id-reused' | 'nothing-said';

export interface RecordOptions {
  readonly organizationId: string;
  readonly subjects: Subjects;
  readonly purposes: PurposeBits;
  readonly now: Date;
}

/** Clocks of phones are ahead by a little. */
const TOLERANCE_MILLISECONDS = 5 * 60_000;

/**
 * A thousand keys are looked up one by one: PostgreSQL would read all of a table of a hundred thousand people instead, because it
 * believes that a page at another place takes four times as long as the next one.
 */
const BY_INDEX =
  'set local random_page_cost = 1; set local enable_hashjoin = off; set local enable_mergejoin = off';

interface Accepted extends Statement {
  readonly signal: Signal;
  readonly place: number;
  readonly content: Buffer;
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
  const outcomes: Outcome[] = signals.map((signal) => refusalOf(signal, options) ?? 'stored');
  const said = signals.flatMap((signal, place) =>
    outcomes[place] === 'stored' ? [accept(signal, place, options.purposes)] : [],
  );
  if (said.length === 0) return outcomes;
  await sql.raw(BY_INDEX).execute(transaction);
  const subjects = await options.subjects.number(
    transaction,
    said.map(({ signal }) => signal.identity),
  );
  const accepted = said.map((one, index) => ({ ...one, content: contentOf(one, subjects[index] ?? 0) }));
  // Locked in one order, before anything of these people is read or written: from here on each has one writer.
  const before = await lockSignatures(transaction, options, subjects);
  const fresh = await insertSignals(transaction, options, accepted, subjects);
  for (const one of accepted) if (!fresh.has(keyOf(one))) outcomes[one.place] = 'repeated';
  await markReused(transaction, options, accepted, outcomes);
  // An id that stands twice among them is stored once: the second is repeated, or says something else.
  await saveSignatures(
    transaction,
    options,
    await foldNew(transaction, options, { accepted, subjects, fresh, before }),
  );
  return outcomes;
}

function refusalOf({ choices, saidAt }: Signal, { purposes, now }: RecordOptions): Outcome | undefined {
  const codes = Object.keys(choices);
  if (codes.length === 0) return { refused: 'nothing-said', reason: 'It says nothing about any purpose.' };
  const unknown = codes.find((code) => !purposes.has(code));
  if (unknown !== undefined)
    return { refused: 'unknown-purpose', reason: `There is no purpose ${JSON.stringify(unknown)}.` };
  if (!(saidAt.getTime() <= now.getTime() + TOLERANCE_MILLISECONDS))
    return {
      refused: 'future',
      reason: 'It was said at a time that has not come. Set the clock of the sender.',
    };
  return undefined;
}

function accept(signal: Signal, place: number, purposes: PurposeBits): Omit<Accepted, 'content'> {
  let mask = 0n;
  let value = 0n;
  for (const [code, granted] of Object.entries(signal.choices)) {
    const bit = 1n << BigInt(purposes.get(code) ?? 0);
    mask |= bit;
    if (granted) value |= bit;
  }
  const { eventId, saidAt, source } = signal;
  return { signal, place, at: saidAt.getTime(), eventId, mask, value, automatic: source === 'gpc' };
}

/** A hash of what a signal says, and of whom by number: an address could be guessed from its own hash. */
function contentOf({ signal, at, mask, value }: Omit<Accepted, 'content'>, subject: number): Buffer {
  return sha256(JSON.stringify([subject, at, String(mask), String(value), signal.source, signal.notice]));
}

/** Two signals that share an id by mistake are two. */
function keyOf({ eventId, content }: Pick<Accepted, 'eventId' | 'content'>): string {
  return `${eventId}\0${content.toString('latin1')}`;
}

interface Stored extends Signature {
  /** When the latest of what it came from was said; undefined: nothing was said. */
  readonly latest: number | undefined;
}

async function lockSignatures(
  transaction: Database,
  { organizationId }: RecordOptions,
  subjects: readonly number[],
): Promise<ReadonlyMap<number, Stored>> {
  const keys = [...new Set(subjects)].sort((a, b) => a - b);
  const locked = await selectForUpdate(transaction, organizationId, keys);
  const missing = keys.filter((key) => !locked.has(key));
  if (missing.length === 0) return locked;
  const { rows } = await sql<{ subject: number }>`
    insert into consent_signatures (organization_id, subject, known, granted)
    select ${organizationId}, subject, 0, 0 from unnest(${missing}::integer[]) as missing(subject)
    on conflict do nothing returning subject`.execute(transaction);
  const own = new Map(rows.map(({ subject }) => [subject, { ...NOTHING_SAID, latest: undefined }]));
  // Somebody else added them meanwhile.
  const others = missing.filter((key) => !own.has(key));
  const late = others.length === 0 ? [] : await selectForUpdate(transaction, organizationId, others);
  return new Map([...locked, ...own, ...late]);
}

async function selectForUpdate(
  transaction: Database,
  organizationId: string,
  keys: readonly number[],
): Promise<ReadonlyMap<number, Stored>> {
  const { rows } = await sql<{ subject: number; known: string; granted: string; latest: Date | null }>`
    select s.subject, s.known::text, s.granted::text, s.latest from unnest(${keys}::integer[]) as keys(subject)
    join consent_signatures as s on s.organization_id = ${organizationId} and s.subject = keys.subject
    order by s.subject for update of s`.execute(transaction);
  return new Map(
    rows.map(({ subject, known, granted, latest }) => [
      subject,
      { known: BigInt(known), granted: BigInt(granted), latest: latest?.getTime() },
    ]),
  );
}

/** Those that were not there, by their ids and what they say. */
async function insertSignals(
  transaction: Database,
  { organizationId, now }: RecordOptions,
  accepted: readonly Accepted[],
  subjects: readonly number[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ event_id: string; content: Buffer }>`
    insert into consent_signals
      (organization_id, event_id, subject, said_at, received_at, mask, value, source, notice, content)
    select ${organizationId}, event_id, subject, said_at, ${now}, mask, value, source, notice, content
    from unnest(
      ${accepted.map(({ eventId }) => eventId)}::text[], ${subjects}::integer[],
      ${accepted.map(({ signal }) => signal.saidAt.toISOString())}::timestamptz[],
      ${accepted.map(({ mask }) => String(mask))}::bigint[], ${accepted.map(({ value }) => String(value))}::bigint[],
      ${accepted.map(({ signal }) => signal.source)}::text[],
      ${accepted.map(({ signal: { notice } }) => (notice === undefined ? null : JSON.stringify(notice)))}::jsonb[],
      ${accepted.map(({ content }) => content)}::bytea[]
    ) as fresh(event_id, subject, said_at, mask, value, source, notice, content)
    on conflict do nothing
    returning event_id, content`.execute(transaction);
  return new Set(rows.map(({ event_id: eventId, content }) => keyOf({ eventId, content })));
}

/** An id that was used before for something else is no repetition: somebody would believe that it was stored. */
async function markReused(
  transaction: Database,
  { organizationId }: RecordOptions,
  accepted: readonly Accepted[],
  outcomes: Outcome[],
): Promise<void> {
  const counts = new Map<string, number>();
  for (const { eventId } of accepted) counts.set(eventId, (counts.get(eventId) ?? 0) + 1);
  const doubtful = accepted.filter(
    ({ place, eventId }) => outcomes[place] === 'repeated' || (counts.get(eventId) ?? 0) > 1,
  );
  if (doubtful.length === 0) return;
  const { rows } = await sql<{ event_id: string; content: Buffer }>`
    select event_id, content from consent_signals
    where organization_id = ${organizationId} and event_id = any(${doubtful.map(({ eventId }) => eventId)}::text[])`.execute(
    transaction,
  );
  const contents = new Map(rows.map((row) => [row.event_id, row.content]));
  const first = new Set<string>();
  for (const { place, eventId, content } of doubtful) {
    if (contents.get(eventId)?.equals(content) !== true) {
      outcomes[place] = {
        refused: 'event-id-reused',
        reason: 'Another signal has this event id. Give each signal an id of its own.',
      };
    } else if (outcomes[place] === 'stored' && first.has(eventId)) outcomes[place] = 'repeated';
    else first.add(eventId);
  }
}

interface FoldOptions {
  readonly accepted: readonly Accepted[];
  readonly subjects: readonly number[];
  readonly fresh: ReadonlySet<string>;
  readonly before: ReadonlyMap<number, Stored>;
}

/** Goes on from the signature where all that is new is later than all that it came from; otherwise begins anew. */
async function foldNew(
  transaction: Database,
  options: RecordOptions,
  { accepted, subjects, fresh, before }: FoldOptions,
): Promise<ReadonlyMap<number, Stored>> {
  const added = new Map<number, Accepted[]>();
  for (const [index, one] of accepted.entries()) {
    const subject = subjects[index] ?? 0;
    if (fresh.has(keyOf(one))) added.set(subject, [...(added.get(subject) ?? []), one]);
  }
  const folded = new Map<number, Stored>();
  const late: number[] = [];
  for (const [subject, statements] of added) {
    const signature = before.get(subject);
    const times = statements.map(({ at }) => at);
    const later = signature?.latest === undefined || Math.min(...times) > signature.latest;
    const ids = new Set(statements.map(({ eventId }) => eventId));
    if (!later || statements.some(({ automatic }) => automatic) || ids.size < statements.length)
      late.push(subject);
    else if (signature !== undefined)
      folded.set(subject, { ...foldLater(signature, statements), latest: Math.max(...times) });
  }
  for (const [subject, statements] of await loadStatements(transaction, options, late))
    folded.set(subject, { ...fold(statements), latest: Math.max(...statements.map(({ at }) => at)) });
  return folded;
}

/** All that these people ever said. */
async function loadStatements(
  transaction: Database,
  { organizationId }: Pick<RecordOptions, 'organizationId'>,
  subjects: readonly number[],
): Promise<ReadonlyMap<number, readonly Statement[]>> {
  const found = new Map<number, Statement[]>();
  if (subjects.length === 0) return found;
  const { rows } = await sql<{
    subject: number;
    event_id: string;
    said_at: Date;
    mask: string;
    value: string;
    source: string;
  }>`
    select s.subject, s.event_id, s.said_at, s.mask::text, s.value::text, s.source
    from unnest(${subjects}::integer[]) as late(subject)
    join consent_signals as s on s.organization_id = ${organizationId} and s.subject = late.subject`.execute(
    transaction,
  );
  for (const { subject, event_id: eventId, said_at, mask, value, source } of rows) {
    const statements = found.get(subject) ?? [];
    found.set(subject, statements);
    statements.push({
      at: said_at.getTime(),
      eventId,
      mask: BigInt(mask),
      value: BigInt(value),
      automatic: source === 'gpc',
    });
  }
  return found;
}

async function saveSignatures(
  transaction: Database,
  { organizationId }: RecordOptions,
  signatures: ReadonlyMap<number, Stored>,
): Promise<void> {
  if (signatures.size === 0) return;
  const all = [...signatures];
  await sql`
    update consent_signatures as s set known = n.known, granted = n.granted, latest = n.latest
    from unnest(
      ${all.map(([subject]) => subject)}::integer[],
      ${all.map(([, { known }]) => String(known))}::bigint[],
      ${all.map(([, { granted }]) => String(granted))}::bigint[],
      ${all.map(([, { latest }]) => new Date(latest ?? 0).toISOString())}::timestamptz[]
    ) as n(subject, known, granted, latest)
    where s.organization_id = ${organizationId} and s.subject = n.subject`.execute(transaction);
}

/** What a person said, as it is now or as it was at a moment: only what was said until then counts. */
export async function signatureOf(
  db: Database,
  {
    organizationId,
    subject,
    asOf,
  }: { readonly organizationId: string; readonly subject: number; readonly asOf?: Date },
): Promise<Signature> {
  if (asOf !== undefined) {
    const statements = (await loadStatements(db, { organizationId }, [subject])).get(subject) ?? [];
    return fold(statements.filter(({ at }) => at <= asOf.getTime()));
  }
  const { rows } = await sql<{ known: string; granted: string }>`
    select known::text, granted::text from consent_signatures
    where organization_id = ${organizationId} and subject = ${subject}`.execute(db);
  return { known: BigInt(rows[0]?.known ?? 0), granted: BigInt(rows[0]?.granted ?? 0) };
}
