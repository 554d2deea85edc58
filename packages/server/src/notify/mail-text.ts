import { escapeHtml } from './escape-html.ts';
import type { StoredEvent } from './outbox.ts';
import type { Receiver } from './receivers.ts';
import { type ToldEvent, toldEvent } from './told-event.ts';

export interface MailText {
  /** One line. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A mail is to be read: of more events only the number is told. */
const MOST_TOLD = 50;
const LONGEST_SUBJECT = 120;

/** One mail about all of these events. */
export function mailTextOf(receiver: Pick<Receiver, 'team'>, events: readonly StoredEvent[]): MailText {
  const told = events.slice(0, MOST_TOLD).map(toldEvent);
  const more = events.length - told.length;
  const rest = more > 0 ? `And ${more} more. All that is missing now: habeas map gaps` : undefined;
  return {
    subject: subjectOf(receiver, told, events.length),
    text: `${[...told.map(textOf), ...(rest === undefined ? [] : [rest]), `-- \n${FOOT}`].join('\n\n\n')}\n`,
    html: [
      ...told.map(htmlOf),
      ...(rest === undefined ? [] : [`<p>${escapeHtml(rest)}</p>`]),
      `<p><small>${FOOT}</small></p>`,
    ].join('\n'),
  };
}

const FOOT = 'Sent by Habeas. Who is told what: docs/notifications.md.';

function subjectOf({ team }: Pick<Receiver, 'team'>, told: readonly ToldEvent[], count: number): string {
  const [first] = told;
  const what =
    count === 1 && first !== undefined
      ? first.headline
      : `${count} things to know about ${team === undefined ? 'the data map' : `the data of team ${team}`}`;
  const subject = `Habeas: ${what.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')}`;
  return subject.length > LONGEST_SUBJECT ? `${subject.slice(0, LONGEST_SUBJECT)}…` : subject;
}

function textOf({ headline, facts, next }: ToldEvent): string {
  const steps = next.map(({ text, command }) => (command === undefined ? text : `${text}\n\n    ${command}`));
  return [[headline, ...facts].join('\n'), ...steps].join('\n\n');
}

function htmlOf({ headline, facts, next }: ToldEvent): string {
  const steps = next.map(({ text, command }) =>
    command === undefined
      ? `<p>${escapeHtml(text)}</p>`
      : `<p>${escapeHtml(text)}</p>\n<pre>${escapeHtml(command)}</pre>`,
  );
  const paragraph = facts.length === 0 ? [] : [`<p>${facts.map(escapeHtml).join('<br>\n')}</p>`];
  return [`<h3>${escapeHtml(headline)}</h3>`, ...paragraph, ...steps].join('\n');
}
