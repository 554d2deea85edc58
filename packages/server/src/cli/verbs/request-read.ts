import { api } from '@habeas/contract';
import { type Command, Option } from 'commander';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { follow } from '../follow.ts';
import { count as parseCount, right as parseRight } from '../option-values.ts';
import { receiptLines } from '../render/receipt.ts';
import { requestLines, requestListLines } from '../render/request.ts';
import type { Run } from '../verb.ts';

interface ListOptions extends ServerOptions {
  readonly state?: api.RequestState;
  readonly right?: api.Right;
  readonly limit: number;
  readonly cursor?: string;
}

/** `habeas request list|show|watch|receipt`. */
export function requestReadVerbs(request: Command, run: Run): void {
  withServerOptions(
    request
      .command('list')
      .description('list requests, newest first')
      .addOption(
        new Option('--state <state>', 'only requests in this state').choices(api.requestStateSchema.options),
      )
      .option('--right <right>', 'only requests of this right, such as erasure', parseRight)
      .option('--limit <n>', 'how many', parseCount, 50)
      .option('--cursor <cursor>', 'go on after an earlier list'),
  ).action((options: ListOptions) =>
    run(async (context) => {
      const { state, right, limit, cursor } = options;
      const page = await clientFor(context, options).listRequests({ state, right, limit, cursor });
      const { width } = context.terminal;
      print(context, options, { json: page, lines: () => requestListLines(page, width, context.paint) });
      return 'done';
    }),
  );

  withServerOptions(
    request.command('show').description('show a request with its tasks and what they found').argument('<id>'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const client = clientFor(context, options);
      const [found, tasks] = await Promise.all([client.getRequest(id), client.listTasks(id)]);
      const { paint, terminal } = context;
      print(context, options, {
        json: { ...found, task_list: tasks },
        lines: () => requestLines(found, tasks, { width: terminal.width, paint }),
      });
      return 'done';
    }),
  );

  withServerOptions(
    request
      .command('watch')
      .description('follow a request until it ends or waits for a person')
      .argument('<id>'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const { snapshot, end } = await follow(context, clientFor(context, options), {
        requestId: id,
        quiet: options.json === true,
      });
      print(context, options, {
        json: { ...snapshot.request, task_list: snapshot.tasks },
        lines: () => [end.text],
      });
      return end.exit;
    }),
  );

  withServerOptions(
    request.command('receipt').description('show the signed receipt of a finished request').argument('<id>'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const receipt = await clientFor(context, options).getReceipt(id);
      print(context, options, {
        json: receipt,
        lines: () => receiptLines(receipt, context.terminal.width, context.paint),
      });
      return 'done';
    }),
  );
}
