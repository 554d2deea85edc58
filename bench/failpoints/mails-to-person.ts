import type { ApiClient } from '../../packages/server/src/cli/api-client.ts';
import type { MailServer } from '../../packages/server/test/mail-server.ts';
import type { Made } from '../aftermath.ts';
import { untilAnswered } from '../answer-tickets.ts';

/** That it was received, and what became of it. */
const KINDS = ['received', 'completed'] as const;

/**
 * Which mails the person did not get, in words. What Habeas calls sent must lie at the mail server under its id. The mail server of the
 * run takes no quoted local part with a space (RFC 5321 §4.1.2 allows it): for them, and for nobody else, it must have recorded
 * each mail as refused.
 */
export async function mailsMissing(
  { client, mails }: { readonly client: ApiClient; readonly mails: MailServer },
  made: Made,
): Promise<readonly string[]> {
  const kept = await untilAnswered(() => client.listPersonMails(made.id));
  const got = new Set(
    mails.mails
      .filter(({ to }) => to.includes(made.email))
      .map(({ parsed }) => parsed.messageId?.replaceAll(/^<|@.*$/g, '')),
  );
  const end = made.email.includes(' ') ? 'refused' : 'sent';
  const wrong = KINDS.filter((wanted) => !kept.some(({ kind }) => kind === wanted)).map(
    (kind) => `${made.id} has no mail that says ${kind}`,
  );
  for (const { id, kind, state, status } of kept) {
    // Goes out days later, if at all.
    if (kind === 'expiring') continue;
    const what = `the mail of ${made.id} that says ${kind}`;
    if (state !== end) wrong.push(`${what} is ${state} ${status ?? ''}`);
    else if (state === 'sent' && !got.has(id)) wrong.push(`${what} is called sent and did not arrive`);
  }
  return wrong;
}
