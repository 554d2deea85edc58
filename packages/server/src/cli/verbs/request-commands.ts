import type { api } from '@habeas/contract';
import type { Command } from 'commander';
import { HabeasError } from '../../foundation/errors.ts';
import type { ApiClient } from '../api-client.ts';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import type { Run } from '../verb.ts';

interface ReasonOptions extends ServerOptions {
  readonly reason: string;
}

/** `habeas request cancel|hold|reject|verify|release|approve|appeal|retry|skip`: what a person decides. */
export function requestCommandVerbs(request: Command, run: Run): void {
  for (const [verb, description] of [
    ['cancel', 'cancel a request before anything was destroyed'],
    ['hold', 'hold a request, such as for a legal hold'],
    ['reject', 'reject a request'],
    ['verify', 'confirm who asks, after a look of your own'],
  ] as const) {
    withServerOptions(
      request
        .command(verb)
        .description(description)
        .argument('<id>')
        .requiredOption('--reason <text>', 'why; no personal data'),
    ).action((id: string, options: ReasonOptions) =>
      run(async (context) => {
        const changed = await clientFor(context, options).commandRequest(id, verb, options.reason);
        print(context, options, { json: changed, lines: () => [`Request ${id} is ${changed.state}.`] });
        return 'done';
      }),
    );
  }

  for (const [verb, description] of [
    ['release', 'let a held request go on'],
    ['approve', 'approve a request that waits for approval'],
  ] as const) {
    withServerOptions(request.command(verb).description(description).argument('<id>')).action(
      (id: string, options: ServerOptions) =>
        run(async (context) => {
          const changed = await clientFor(context, options).commandRequest(id, verb);
          const { state, approval } = changed;
          const left =
            state !== 'approving' || approval === null ? 0 : approval.needed - approval.given.length;
          const more = left === 0 ? '' : ` It takes ${left} more, of another person.`;
          print(context, options, { json: changed, lines: () => [`Request ${id} is ${state}.${more}`] });
          return 'done';
        }),
    );
  }

  withServerOptions(
    request
      .command('appeal')
      .description('appeal against a request that was denied, in whole or in part')
      .argument('<id>'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const made = await clientFor(context, options).commandRequest(id, 'appeal');
      const lines = () => [
        `Appeal ${made.id} against ${id} is ${made.state}, due ${made.due_at.slice(0, 10)}.`,
        `To do what was asked for: habeas request approve ${made.id}`,
        `To deny it again: habeas request reject ${made.id} --reason …`,
      ];
      print(context, options, { json: made, lines });
      return 'done';
    }),
  );

  withServerOptions(
    request
      .command('retry')
      .description('try blocked tasks of a request again, now')
      .argument('<id>')
      .argument('[task]', 'id or key of one task, such as erase:shop (default: all that are blocked)'),
  ).action((id: string, task: string | undefined, options: ServerOptions) =>
    run(async (context) => {
      const client = clientFor(context, options);
      const chosen = task === undefined ? await blockedTasks(client, id) : [await findTask(client, id, task)];
      const retried: api.TaskView[] = [];
      for (const { id: taskId } of chosen) retried.push(await client.retryTask(id, taskId));
      print(context, options, {
        json: { items: retried },
        lines: () =>
          retried.length === 0
            ? [`No task of request ${id} is blocked.`]
            : retried.map(({ key, state }) => `${key} is ${state}.`),
      });
      return 'done';
    }),
  );

  withServerOptions(
    request
      .command('skip')
      .description('go on without a blocked task; the receipt says so')
      .argument('<id>')
      .argument('<task>', 'id or key of the task, such as erase:shop')
      .requiredOption('--reason <text>', 'why; no personal data'),
  ).action((id: string, task: string, options: ReasonOptions) =>
    run(async (context) => {
      const client = clientFor(context, options);
      const found = await findTask(client, id, task);
      const skipped = await client.skipTask(id, found.id, options.reason);
      print(context, options, { json: skipped, lines: () => [`${skipped.key} is ${skipped.state}.`] });
      return 'done';
    }),
  );
}

async function blockedTasks(client: ApiClient, id: string) {
  return (await client.listTasks(id)).filter((task) => task.state === 'blocked');
}

async function findTask(client: ApiClient, id: string, name: string) {
  const tasks = await client.listTasks(id);
  const found = tasks.find((task) => task.id === name || task.key === name);
  if (found !== undefined) return found;
  const keys = tasks.map((task) => task.key).join(', ');
  throw new HabeasError('NOT_FOUND', `Request ${id} has no such task. It has: ${keys}.`);
}
