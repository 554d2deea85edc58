import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HabeasError } from '../../foundation/errors.ts';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { shortTime } from '../render/time.ts';
import type { Run } from '../verb.ts';

/** `habeas request verification|mails|bounce`: who asks, and what they are told. */
export function requestPersonVerbs(request: Command, run: Run): void {
  withServerOptions(
    request
      .command('verification')
      .description('show how far somebody got with proving who they are')
      .argument('<id>'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const found = await clientFor(context, options).getVerification(id);
      print(context, options, {
        json: found,
        lines: () => [
          found.state === 'ended'
            ? 'Nothing has to be proved any more.'
            : `Missing: ${found.missing.join(', ') || 'nothing'}; until ${shortTime(found.expires_at)}.`,
          ...found.contacts.map(
            (contact) =>
              `${contact.id} (${contact.role}): ${contact.proved ? 'proved' : `not proved; ${contact.codes_sent} codes sent`}`,
          ),
          ...(found.signed_in ? ['They signed in.'] : []),
          ...(found.agent === null
            ? []
            : [
                `Agent: ${found.agent.name} <${found.agent.email}>, ${found.agent.permission === null ? 'without a signed permission' : 'with a signed permission (see --json)'}`,
              ]),
          ...(found.merged_into === null ? [] : [`Joined ${found.merged_into}.`]),
        ],
      });
      return 'done';
    }),
  );

  withServerOptions(
    request
      .command('mails')
      .description('show the mails to the person, and which came back')
      .argument('<id>'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const items = await clientFor(context, options).listPersonMails(id);
      print(context, options, {
        json: { items },
        lines: () =>
          items.length === 0
            ? ['There are no mails to the person.']
            : items.map((mail) => {
                const status = mail.status === null ? '' : ` (${mail.status})`;
                return `${shortTime(mail.ended_at ?? mail.queued_at)}  ${mail.kind}  ${mail.state}${status}`;
              }),
      });
      return 'done';
    }),
  );

  withServerOptions(
    request
      .command('bounce')
      .description('note a mail to a person that came back')
      .argument('<file>', 'the whole message; - for standard input'),
  ).action((file: string, options: ServerOptions) =>
    run(async (context) => {
      const message = file === '-' ? await context.readInput() : readMessage(resolve(context.folder, file));
      const noted = await clientFor(context, options).recordBounce(message);
      print(context, options, { json: noted, lines: () => [OUTCOMES[noted.outcome]] });
      return noted.outcome === 'not-ours' ? 'failed' : 'done';
    }),
  );
}

const OUTCOMES = {
  recorded: 'Noted with its request.',
  'no-failure': 'This mail was late or did arrive; there is nothing to note.',
  'not-ours': 'This is no notification about a mail of Habeas.',
} as const;

function readMessage(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HabeasError('BAD_INPUT', `${file} cannot be read.`, { cause });
  }
}
