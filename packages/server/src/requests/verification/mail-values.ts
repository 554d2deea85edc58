import type { api } from '@habeas/contract';
import type { Evidence } from '../../connectors/index.ts';
import type { Database } from '../../foundation/index.ts';
import type { ComposedMail, MailKind } from '../../notify/index.ts';
import type { Policy } from '../../policy/index.ts';
import { appealUntil } from '../denial.ts';
import type { RequestRef } from '../identity-vault.ts';
import type { RequestRow } from '../neighbourhood.ts';
import type { RequestTables } from '../tables.ts';

export interface MailValuesOptions {
  readonly kind: Exclude<MailKind, 'code'>;
  readonly request: RequestRow;
  readonly language: api.Language;
  readonly timeZone: string;
  readonly link: string | undefined;
  readonly policy: Pick<Policy, 'defaultRegime'>;
}

/** What a mail of this kind has to say about a request. */
export async function mailValues(db: Database, options: MailValuesOptions): Promise<ComposedMail['values']> {
  const { kind, request } = options;
  const inWords = (date: Date) =>
    new Intl.DateTimeFormat(options.language, { dateStyle: 'long', timeZone: options.timeZone }).format(date);
  const due = inWords(request.due_at);
  const appeal = async () => {
    const until = await appealUntil(db, request, options.policy);
    return until === undefined ? {} : { appeal: inWords(until) };
  };
  switch (kind) {
    case 'received':
    case 'verified':
    case 'started':
    case 'extended':
      return { due };
    case 'rejected':
      return { ...(request.reason === null ? {} : { reason: request.reason }), ...(await appeal()) };
    case 'completed': {
      const kept = await countKept(db, request);
      return {
        ...result(options, inWords),
        ...(await appeal()),
        ...(kept === 0 ? {} : { kept: new Intl.NumberFormat(options.language).format(kept) }),
        ...(request.residual_until === null ? {} : { residual: inWords(request.residual_until) }),
      };
    }
    case 'expiring':
      return result(options, inWords);
    default:
      return kind satisfies never;
  }
}

function result(
  { link, request }: MailValuesOptions,
  inWords: (date: Date) => string,
): Pick<ComposedMail['values'], 'link' | 'until'> {
  const { package_blob: blob, package_expires_at: expires } = request;
  if (blob === null || expires === null) return {};
  // "Until when" is of use only to whoever is told where.
  return { ...(link === undefined ? {} : { link, until: inWords(expires) }) };
}

async function countKept(db: Database, request: RequestRow): Promise<number> {
  const tasks = await db
    .withTables<RequestTables>()
    .selectFrom('tasks')
    .select('evidence')
    .where('organization_id', '=', request.organization_id)
    .where('request_id', '=', request.id)
    .where('kind', '=', 'erase')
    .where('evidence', 'is not', null)
    .execute();
  const retained = tasks.flatMap(({ evidence }) => {
    const { retained = [] }: Partial<Evidence> = JSON.parse(evidence ?? '{}');
    return retained;
  });
  return retained.reduce((sum, { count }) => sum + count, 0);
}

/** Why the answer was put off last. */
export async function delayOf(db: Database, ref: RequestRef): Promise<string | undefined> {
  const row = await db
    .withTables<RequestTables>()
    .selectFrom('deadline_changes')
    .select('reason')
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .where('kind', '=', 'extended')
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst();
  // It is kept as the term's address; the name is what follows `#`.
  return row?.reason?.split('#').at(-1);
}
