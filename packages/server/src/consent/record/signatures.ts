import { type RawBuilder, sql } from 'kysely';
import { type Database, int4Array, int8Array, timestamptzArray } from '../../foundation/index.ts';
import { noteExpiries } from './expiries.ts';
import { type FoldOptions, fold, type Signature, type Statement } from './fold.ts';
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
  /** When something of each expires, where something does. */
  readonly expiries: ReadonlyMap<number, number>;
}

export function prepareAddition(added: BySubject, options: FoldOptions): PreparedAddition {
  // In one order, because the pages of a table are then read and written in one order.
  const all = [...added]
    .sort(([one], [other]) => one - other)
    .map(([subject, said]) => ({ subject, said, ...fold(said, options) }));
  const subjects = all.map(({ subject }) => subject);
  const columns = sql`${int4Array(subjects)}::integer[],
    ${int8Array(all.map(({ known }) => known))}::bigint[], ${int8Array(all.map(({ granted }) => granted))}::bigint[],
    ${timestamptzArray(all.map(({ said }) => latest(said)))}::timestamptz[],
    ${timestamptzArray(all.map(({ said }) => earliest(said)))}::timestamptz[]`;
  const expiries = new Map(
    all.flatMap(({ subject, expiresAt }) => (expiresAt === undefined ? [] : [[subject, expiresAt] as const])),
  );
  return { subjects, columns, expiries };
}

/**
 * Adds statements to signatures that came from earlier ones only; none of them may be automatic or inherited. Tells the subjects whose signatures it
 * could not go on from, because something that they came from is as late, or because there is none.
 */
export async function goOn(
  transaction: Database,
  organizationId: string,
  { subjects, columns, expiries }: PreparedAddition,
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
  await noteExpiries(
    transaction,
    organizationId,
    [...expiries].filter(([subject]) => gone.has(subject)),
  );
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
  options: FoldOptions,
): Promise<void> {
  if (statements.size === 0) return;
  const { columns, expiries } = prepareAddition(statements, options);
  await sql`
    insert into consent_signatures (organization_id, subject, known, granted, latest)
    select ${organizationId}, subject, known, granted, latest
    from unnest(${columns}) as n(subject, known, granted, latest, earliest)
    on conflict (organization_id, subject)
    do update set known = excluded.known, granted = excluded.granted, latest = excluded.latest`.execute(
    transaction,
  );
  await noteExpiries(transaction, organizationId, [...expiries]);
}

export interface SignatureAsked {
  readonly organizationId: string;
  readonly subject: number;
  /** (Default: now) */
  readonly asOf?: Date;
  readonly now: Date;
  readonly rule: FoldOptions['rule'];
  readonly validities?: FoldOptions['validities'];
}

/** What a person said, as it is now or as it was at a moment: only what was said until then counts. */
export async function signatureOf(
  db: Database,
  { organizationId, subject, asOf, now, ...options }: SignatureAsked,
): Promise<Signature> {
  const foldUntil = async (moment: Date) => {
    const statements = (await loadStatements(db, organizationId, [subject])).get(subject) ?? [];
    const until = statements.filter(({ at }) => asOf === undefined || at <= moment.getTime());
    return fold(until, { ...options, now: moment.getTime() });
  };
  if (asOf !== undefined) return foldUntil(asOf);
  const { rows } = await sql<{ known: number | string; granted: number | string; due: boolean }>`
    select known, granted, exists (select from consent_expiries as e where e.organization_id = s.organization_id
      and e.subject = s.subject and e.expires_at <= ${now}) as due
    from consent_signatures as s where organization_id = ${organizationId} and subject = ${subject}`.execute(
    db,
  );
  // Nobody has come by yet since it expired.
  if (rows[0]?.due === true) return foldUntil(now);
  return { known: BigInt(rows[0]?.known ?? 0), granted: BigInt(rows[0]?.granted ?? 0) };
}
