import { spawn } from 'node:child_process';
import { devNull } from 'node:os';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import type { api } from '@habeas/contract';
import * as z from 'zod';
import { HabeasError } from '../../foundation/errors.ts';
import type { ApiClient } from '../api-client.ts';
import { readHandOver } from '../hand-over.ts';
import { EXAMPLE_FOLDER } from './example.ts';

/** What the team's script reports. */
const countSchema = z.object({ files: z.int(), lines: z.int(), unreadable: z.int() });

export interface AnswerOptions {
  /** The folder of the team's service. */
  readonly folder: string;
  /** A dry run: the team counts and changes nothing. */
  readonly dryRun: boolean;
  /** Where the person's lines go when they asked for them. */
  readonly handOver: string;
  readonly signal: AbortSignal;
}

export interface AnsweredTicket {
  readonly team: string;
  /** Name of the script that the team ran. */
  readonly script: string;
  readonly lines: number;
  readonly verb: string;
}

const SCRIPT = `${EXAMPLE_FOLDER}services/analytics/forget.ts`;

/**
 * Does what a member of the team does: reads the ticket from the API, runs the team's own script on it, and closes the
 * ticket with what the script counted. The ticket goes in through standard input, so no identity stands in a process list.
 */
export async function answerTicket(
  client: ApiClient,
  task: api.TaskView,
  options: AnswerOptions,
): Promise<AnsweredTicket> {
  const ticket = await client.getTicket(task.id);
  const collects = options.dryRun || ticket.right === 'access';
  const out = collects ? ['--out', options.dryRun ? devNull : options.handOver] : [];
  const child = spawn(process.execPath, [SCRIPT, '--data', options.folder, ...out], {
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: options.signal,
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  child.stdin.end(JSON.stringify({ ...ticket, right: collects ? 'access' : 'erasure' }));
  const [answer, notes, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  if (code !== 0) {
    throw new HabeasError('SYSTEM_FAILED', `The script of team ${ticket.team} ended with ${code}.`, {
      cause: notes,
    });
  }
  const count = countSchema.parse(JSON.parse(answer));
  const verb = options.dryRun ? 'found' : collects ? 'handed over' : 'removed';
  await client.closeTicket(ticket.id, {
    note: `${count.lines} lines of ${count.files} event files ${verb}.`,
    ...(options.dryRun || !collects
      ? { count: count.lines }
      : { data: await readHandOver(options.handOver) }),
  });
  return { team: ticket.team, script: basename(SCRIPT), lines: count.lines, verb };
}
