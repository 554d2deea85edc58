import type { Database } from '../../foundation/index.ts';
import { parseBounce } from './parse-bounce.ts';
import { endMail, PERSON_MAIL_COLUMNS, type PersonMail, type PersonMailTables } from './person-mails.ts';

/** What became of a message that was handed in as a bounce. */
export type RecordedBounce =
  | { readonly outcome: 'recorded'; readonly mail: PersonMail }
  /** It says that a mail is late, or did arrive. */
  | { readonly outcome: 'no-failure' }
  /** It is no delivery status notification, or about no mail of ours. */
  | { readonly outcome: 'not-ours' };

/** Notes that a mail to a person came back. The same bounce again changes nothing. */
export async function recordBounce(
  db: Database,
  options: { readonly organizationId: string; readonly raw: Uint8Array; readonly now: Date },
): Promise<RecordedBounce> {
  const bounce = await parseBounce(options.raw);
  // Ours are `mail_<id>@<domain>`, with the number of the try for a code.
  const id = bounce && /^(mail_[0-9a-z]+)(?:-\d+)?@/.exec(bounce.messageId)?.[1];
  if (bounce === undefined || id === undefined) return { outcome: 'not-ours' };
  if (bounce.action !== 'failed') return { outcome: 'no-failure' };
  const mail = await db
    .withTables<PersonMailTables>()
    .selectFrom('person_mails')
    .select(PERSON_MAIL_COLUMNS)
    .where('organization_id', '=', options.organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (mail === undefined) return { outcome: 'not-ours' };
  if (mail.state === 'bounced') return { outcome: 'recorded', mail };
  await endMail(db, mail, { state: 'bounced', status: bounce.status, now: options.now });
  return { outcome: 'recorded', mail: { ...mail, state: 'bounced', status: bounce.status } };
}
