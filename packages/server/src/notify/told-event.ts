import type { OutboxEvent } from './outbox.ts';

/** An event in words, for a person. In English; a line each. */
export interface ToldEvent {
  readonly headline: string;
  readonly facts: readonly string[];
  readonly next: readonly NextStep[];
}

/** What to do: words, and the command to type if there is one. */
export interface NextStep {
  readonly text: string;
  readonly command?: string;
}

type Told = Pick<OutboxEvent, 'type' | 'data' | 'requestId'>;

/** Says what happened, who says it and what to do next. Values are names that anybody may have declared: they stay on their line. */
export function toldEvent(event: Told): ToldEvent {
  const value = (name: string) => plain(event.data[name]);
  switch (event.type) {
    case 'map.sensitive-flow-appeared':
      return {
        headline: `${value('service')} sends ${value('data_type')} to ${value('to_service')}`,
        facts: [
          `${value('data_type')} is ${value('category')}, which needs special care (${value('sensitivity')}).`,
          declaredBy(event),
        ],
        next: [
          {
            text: 'Where it goes to in the end:',
            command: `habeas map downstream --data-type ${quoted(value('data_type'))} -- ${quoted(value('service'))}`,
          },
          { text: 'If it is meant, see that the record of processing has it; if not, stop the flow.' },
        ],
      };
    case 'map.store-without-eraser':
      return {
        headline: `${value('service')} stores ${value('data_types')}, and nothing erases it there`,
        facts: [declaredBy(event), 'Requests of people become tickets, which the team answers by hand.'],
        next: storeSteps(event),
      };
    case 'map.client-address-changed':
      return {
        headline: `Team ${value('team')} has another address for requests about people: ${value('address')}`,
        facts: [
          `It answers for ${event.data.service === null ? "all of the team's services" : value('service')} over ${value('protocol')}; before, it was ${value('address_before')}. It has been declared since ${value('since')}.`,
          event.data.state === 'approved'
            ? 'The allow-list accepts it, so personal data is sent there.'
            : 'Nothing is sent there before somebody approves it.',
        ],
        next: [
          { text: "If it is the team's:", command: `habeas clients approve ${quoted(value('client'))}` },
          { text: 'If not:', command: `habeas clients reject ${quoted(value('client'))}` },
        ],
      };
    case 'map.shrunk':
      return {
        headline: `The map lost ${value('lost')} of its ${value('edges')} flows and stores between two polls`,
        facts: [`The last source that lost some: ${value('source')}.`],
        next: [
          { text: 'What went:', command: 'habeas map --compare-to 1h' },
          { text: 'Whether the sources are well:', command: 'habeas doctor' },
        ],
      };
    case 'audit.checkpoint':
      return {
        headline: `The audit log has ${value('size')} entries; this is its checkpoint`,
        // Exactly as it was signed: whoever keeps it can prove later that nothing before it was changed.
        facts: ['', ...String(event.data.checkpoint).split('\n').map(plain)],
        next: [
          {
            text: 'Keep it. With its lines in earlier.txt, whether the log only grew since:',
            command:
              'habeas audit consistency --since earlier.txt > consistency.json && habeas verify consistency.json --since earlier.txt --trust trust.txt',
          },
        ],
      };
    case 'request.deadline-near':
      return {
        headline: `${plain(event.requestId)}: ${deadlineInWords(event)}`,
        facts: [
          `It is ${value('right')} under ${value('regime')}, ${value('state')}${event.data.owner === null ? '' : `; ${value('owner')} answers for it`}.`,
        ],
        next: [
          { text: 'What it waits for:', command: `habeas request show ${quoted(plain(event.requestId))}` },
        ],
      };
    case 'request.approval-asked': {
      const { needed, rows, above } = event.data;
      return {
        headline: `${plain(event.requestId)} waits until ${needed === 1 ? 'somebody approves' : `${plain(needed)} people approve`} it`,
        facts:
          rows === undefined
            ? ['Nothing was looked for yet.']
            : [
                `It would destroy or change ${plain(rows)} rows, more than ${plain(above)}. Nothing was done yet.`,
              ],
        next: [
          { text: 'What it would do:', command: `habeas plan ${quoted(plain(event.requestId))}` },
          { text: 'Go on:', command: `habeas request approve ${quoted(plain(event.requestId))}` },
          {
            text: 'Do not:',
            command: `habeas request reject ${quoted(plain(event.requestId))} --reason "…"`,
          },
        ],
      };
    }
    case 'mail.undelivered':
      return {
        headline: `A mail to the person of ${plain(event.requestId)} did not arrive (${value('kind')})`,
        facts: [undelivered(event)],
        next: [
          {
            text: 'All mails to the person:',
            command: `habeas request mails ${quoted(plain(event.requestId))}`,
          },
          { text: 'Tell the person in another way.' },
        ],
      };
    case 'request.team-deadline-near':
      return {
        headline: `${plain(event.requestId)} waits for team ${value('team')}: ${deadlineInWords(event)}`,
        facts: [`${value('open')} of its tasks on systems of team ${value('team')} are not done.`],
        next: [
          { text: 'Tickets of the team:', command: `habeas tickets list --team ${quoted(value('team'))}` },
        ],
      };
    case 'ticket.opened':
    case 'ticket.reassigned':
      return {
        headline:
          event.type === 'ticket.opened'
            ? `Team ${value('team')} has a ticket for ${value('system')}`
            : `Team ${value('team')} has a ticket of team ${value('from_team')}, for ${value('system')}`,
        facts: ['Somebody asked about the data that is held there, and Habeas cannot reach it by itself.'],
        next: [
          {
            text: 'What to do, for whom and by when:',
            command: `habeas tickets show ${quoted(value('subject'))}`,
          },
          {
            text: 'When it is done:',
            command: `habeas tickets close ${quoted(value('subject'))} --note "…"`,
          },
        ],
      };
    case 'notify.dead-letter':
      return {
        headline: `${value('receiver')} was not told of ${value('event_type')}`,
        facts: [`It did not take it for so long that Habeas gave up (${value('error_code')}).`],
        next: [{ text: 'Whether it takes messages now:', command: 'habeas notify test' }],
      };
    case 'notify.receiver-disabled':
      return {
        headline: `${value('receiver')} says that it is gone, and is told nothing any more`,
        facts: ['It answered with HTTP 410. What happens from now on is kept for it.'],
        next: [
          { text: 'When it is there again:', command: `habeas webhooks enable ${quoted(value('receiver'))}` },
          { text: 'If it stays away, take it out of the configuration.' },
        ],
      };
    case 'consent.delivery-given-up':
      return {
        headline: `${value('destination')} was not told what somebody agrees to`,
        facts: [
          `It did not take it in any try (${value('error_code')}). Of others there is no message while this one is given up.`,
        ],
        next: [
          { text: 'What it did not take, and why:', command: 'habeas consent propagation list' },
          {
            text: 'When it takes messages again:',
            command: `habeas consent propagation retry ${quoted(value('destination'))}`,
          },
        ],
      };
    case 'notify.test':
      return {
        headline: 'Messages of Habeas arrive here',
        facts: ['Somebody ran `habeas notify test`. There is nothing to do.'],
        next: [],
      };
    default:
      return {
        headline: event.type,
        facts: event.requestId === undefined ? [] : [`It belongs to ${plain(event.requestId)}.`],
        next: [],
      };
  }
}

function deadlineInWords({ data }: Told): string {
  const what = data.term === 'acknowledgement' ? 'to confirm receipt' : 'to answer';
  if (data.level === 'late') return `the term ${what} ended on ${plain(data.due_at)}`;
  return `${plain(data.level)} of the term ${what} have passed; it ends on ${plain(data.due_at)}`;
}

function undelivered({ data }: Told): string {
  if (data.outcome === 'skipped') return 'It was not sent: no mail can be written to the address.';
  const status = data.status === null ? '' : ` (${plain(data.status)})`;
  return data.outcome === 'bounced'
    ? `It came back${status}.`
    : `The mail server did not take it${status}, and it is not sent again.`;
}

function declaredBy({ data }: Told): string {
  const source = data.source === undefined ? '' : `, in ${plain(data.source)}`;
  return `Team ${plain(data.team)} has declared it since ${plain(data.since)}${source}.`;
}

function storeSteps({ data }: Told): readonly NextStep[] {
  if (typeof data.client === 'string') {
    return [
      {
        text: "The team has published a client that nobody has approved. If the address is the team's:",
        command: `habeas clients approve ${quoted(plain(data.client))}`,
      },
    ];
  }
  return [
    {
      text: 'Let the service declare a client (docs/connect-a-service.md), or connect its database (docs/operate.md). Then it is not listed any more by:',
      command: `habeas map gaps --service ${quoted(plain(data.service))}`,
    },
  ];
}

const LONGEST = 200;

/** A value on one line, without characters that steer terminals, mail headers or the direction of text. */
export function plain(value: string | number | boolean | null | undefined): string {
  const text = String(value ?? '').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** A value as one word of a shell: whoever copies the command runs this command and no other. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9_.:/@+][A-Za-z0-9_.:/@+-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
