/**
 * What a member of the team "data" runs to answer a ticket. Reads the ticket (`{ id, right, identities }`, as the API of
 * Habeas gives it) from standard input, so that no identity stands in the list of processes; collects or removes the
 * lines of that person; prints the counts, which go into the ticket's answer. Exit code 1: a line needs a person's eyes.
 *
 *     node forget.ts --data FOLDER [--out FILE] < ticket.json
 */
import { appendFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { collectEvents, type EventCount, type Identity, removeEvents } from './event-files.ts';

export interface Ticket {
  readonly id: string;
  /** `access`, `portability` or `erasure`: for anything else the script is no help. */
  readonly right: string;
  readonly identities: readonly Identity[];
}

/** Rights that this script answers; for any other the team looks itself. */
const ANSWERED: readonly string[] = ['access', 'portability', 'erasure'];

export interface TicketOptions {
  /** The folder of the service. */
  readonly folder: string;
  /** Where the person's lines go for access. (Default: `export-<ticket>.jsonl` in the folder) */
  readonly out?: string | undefined;
}

/** Does what the ticket asks for; the same ticket again finds what is left, which is nothing after an erasure. */
export async function answerTicket(ticket: Ticket, { folder, out }: TicketOptions): Promise<EventCount> {
  const { id, right, identities } = ticket;
  if (!ANSWERED.includes(right))
    throw new Error('This script collects and removes lines; the ticket asks for something else.');
  if (right !== 'erasure') {
    const file = await open(out ?? join(folder, `export-${id}.jsonl`), 'w', 0o600);
    try {
      return await collectEvents({ folder, identities, onLine: (line) => file.writeFile(line) });
    } finally {
      await file.close();
    }
  }
  const count = await removeEvents({ folder, identities });
  const effect = { key: id, kind: 'delete', count: count.lines };
  await appendFile(join(folder, 'effects.jsonl'), `${JSON.stringify(effect)}\n`, { flush: true });
  return count;
}

/** A ticket from JSON of unknown origin. Throws a sentence that names the part that is missing. */
export function parseTicket(json: string): Ticket {
  const value: unknown = JSON.parse(json);
  const ticket: Partial<Record<keyof Ticket, unknown>> =
    typeof value === 'object' && value !== null ? value : {};
  const { id, right, identities } = ticket;
  if (typeof id !== 'string' || !/^[\w-]{1,100}$/.test(id)) throw new Error('The ticket has no usable "id".');
  if (typeof right !== 'string' || !ANSWERED.includes(right))
    throw new Error(`The ticket's "right" is none of ${ANSWERED.join(', ')}.`);
  if (!Array.isArray(identities) || !identities.every(isIdentity))
    throw new Error('The ticket\'s "identities" are not a list of { type, value }.');
  return { id, right, identities };
}

function isIdentity(value: unknown): value is Identity {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    'value' in value &&
    typeof value.value === 'string'
  );
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { data: { type: 'string' }, out: { type: 'string' } } });
  if (values.data === undefined) throw new Error('Name the folder of the service with --data.');
  const ticket = parseTicket(await text(process.stdin));
  const count = await answerTicket(ticket, { folder: values.data, out: values.out });
  process.stdout.write(`${JSON.stringify(count)}\n`);
  if (count.unreadable > 0) process.exitCode = 1;
}
