import { type RawBuilder, sql } from 'kysely';
import { type Database, int4Array, int8Array, timestamptzArray } from '../../foundation/index.ts';
import { fold, type MergeRule, type Signature, type Statement } from './fold.ts';
import { kindOf } from './signal.ts';

type BySubject = ReadonlyMap<number, readonly Statement[]>;

const earliest = (statements: readonly Statement[]) =>
  statements.reduce((a, { at }) => Math.min(a, at), Infinity);
const latest = (statements: readonly Statement[]) =>
  statements.reduce((a, { at }) => Math.max(a, at), -Infinity);

/** Statements that are to be added to signatures, folded. */
export interface PreparedAddition {
  readonly subjects: readonly number[];
  readonly columns: RawBuilder<unknown>;
}

export function prepareAddition(added: BySubject, rule: MergeRule): PreparedAddition {
  // In one order, because the pages of a table are then read and written in one order.
  const all = [...added]
    .sort(([one], [other]) => one - other)
    .map(([subject, said]) => ({ subject, said, ...fold(said, rule) }));
  const subjects = all.map(({ subject }) => subject);
  const columns = sql`${int4Array(subjects)}::integer[],
    ${int8Array(all.map(({ known }) => known))}::bigint[], ${int8Array(all.map(({ granted }) => granted))}::bigint[],
    ${timestamptzArray(all.map(({ said }) => latest(said)))}::timestamptz[],
    ${timestamptzArray(all.map(({ said }) => earliest(said)))}::timestamptz[]`;
  return { subjects, columns };
}

/**
 * Adds statements to signatures that came from earlier ones only; none of them may be automatic or inherited. Tells the subjects whose signatures it
 * could not go on from, because something that they came from is as late, or because there is none.
 */
export async function goOn(
  transaction: Database,
  organizationId: string,
  { subjects, columns }: PreparedAddition,
): Promise<readonly number[]> {
  if (subjects.length === 0) return [];
  const { rows } = await sql<{ subjects: readonly number[] | null }>`
    with gone as (
      update consent_signatures as s
      set known = s.known | n.known, granted = (s.granted & ~n.known) | n.granted, latest = n.latest
      from unnest(${columns}) as n(subject, known, granted, latest, earliest)
      where s.organization_id = ${organizationId} and s.subject = n.subject
        and (s.latest is null or s.latest < n.earliest)
      returning s.subject
    ) select array_agg(subject) as subjects from gone`.execute(transaction);
  const gone = new Set(rows[0]?.subjects);
  return gone.size === subjects.length ? [] : subjects.filter((subject) => !gone.has(subject));
}

/** All that these people ever said. */
export async function loadStatements(
  db: Database,
  organizationId: string,
  subjects: readonly number[],
): Promise<BySubject> {
  const found = new Map<number, Statement[]>();
  if (subjects.length === 0) return found;
  const { rows } = await sql<StatementRow>`
    select s.subject, s.event_id, (extract(epoch from s.said_at) * 1000)::float8 as at, s.mask, s.value, s.source
    from unnest(${int4Array(subjects)}::integer[]) as asked(subject)
    join consent_signals as s on s.organization_id = ${organizationId} and s.subject = asked.subject`.execute(
    db,
  );
  for (const { subject, event_id: eventId, at, mask, value, source } of rows) {
    const statement = {
      at,
      eventId,
      mask: BigInt(mask),
      value: BigInt(value),
      ...kindOf(source),
    };
    const statements = found.get(subject);
    if (statements === undefined) found.set(subject, [statement]);
    else statements.push(statement);
  }
  return found;
}

interface StatementRow {
  readonly subject: number;
  readonly event_id: string;
  readonly at: number;
  readonly mask: number | string;
  readonly value: number | string;
  readonly source: string;
}

/** Replaces signatures by what all statements of their people come to. */
export async function saveSignatures(
  transaction: Database,
  organizationId: string,
  statements: BySubject,
  rule: MergeRule,
): Promise<void> {
  if (statements.size === 0) return;
  await sql`
    insert into consent_signatures (organization_id, subject, known, granted, latest)
    select ${organizationId}, subject, known, granted, latest
    from unnest(${prepareAddition(statements, rule).columns}) as n(subject, known, granted, latest, earliest)
    on conflict (organization_id, subject)
    do update set known = excluded.known, granted = excluded.granted, latest = excluded.latest`.execute(
    transaction,
  );
}

export interface SignatureAsked {
  readonly organizationId: string;
  readonly subject: number;
  /** (Default: now) */
  readonly asOf?: Date;
  readonly rule: MergeRule;
}

/** What a person said, as it is now or as it was at a moment: only what was said until then counts. */
export async function signatureOf(
  db: Database,
  { organizationId, subject, asOf, rule }: SignatureAsked,
): Promise<Signature> {
  if (asOf !== undefined) {
    const statements = (await loadStatements(db, organizationId, [subject])).get(subject) ?? [];
    return fold(
      statements.filter(({ at }) => at <= asOf.getTime()),
      rule,
    );
  }
  const { rows } = await sql<{ known: number | string; granted: number | string }>`
    select known, granted from consent_signatures
    where organization_id = ${organizationId} and subject = ${subject}`.execute(db);
  return { known: BigInt(rows[0]?.known ?? 0), granted: BigInt(rows[0]?.granted ?? 0) };
}
