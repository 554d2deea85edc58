import { api } from '@habeas/contract';
import { type Command, Option } from 'commander';
import type { ApiClient } from '../api-client.ts';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { deadlineLines } from '../render/deadline.ts';
import type { Run } from '../verb.ts';

interface ExtendOptions extends ServerOptions {
  readonly reason: (typeof api.extendSchema._zod.output)['reason'];
}

interface StopOptions extends ServerOptions {
  readonly reason: (typeof api.stopClockSchema._zod.output)['reason'];
}

/** `habeas request deadline|extend|stop-clock|resume-clock|acknowledge`: by when it is due, and what moves that. */
export function requestDeadlineVerbs(request: Command, run: Run): void {
  const act = <Options extends ServerOptions>(
    command: Command,
    ask: (client: ApiClient, id: string, options: Options) => Promise<api.DeadlineView>,
  ) =>
    withServerOptions(command.argument('<id>')).action((id: string, options: Options) =>
      run(async (context) => {
        const deadline = await ask(clientFor(context, options), id, options);
        print(context, options, {
          json: deadline,
          lines: () => deadlineLines(deadline, context.paint),
        });
        return 'done';
      }),
    );

  act(
    request.command('deadline').description('by when a request is due, how that is counted, what moved it'),
    (client, id) => client.getDeadline(id),
  );
  act<ExtendOptions>(
    request
      .command('extend')
      .description('extend the term of a request once, and tell the person')
      .addOption(
        new Option('--reason <reason>', 'why; a delay reason of the Data Privacy Vocabulary')
          .choices(api.extendSchema.shape.reason.options)
          .makeOptionMandatory(),
      ),
    (client, id, { reason }) => client.extendDeadline(id, reason),
  );
  act<StopOptions>(
    request
      .command('stop-clock')
      .description('stop the clock of a request while the person is asked something')
      .addOption(
        new Option('--reason <reason>', 'what has to be cleared up')
          .choices(api.stopClockSchema.shape.reason.options)
          .makeOptionMandatory(),
      ),
    (client, id, { reason }) => client.stopClock(id, reason),
  );
  act(
    request.command('resume-clock').description('let the clock of a request run on: the person answered'),
    (client, id) => client.moveClock(id, 'resume-clock'),
  );
  act(
    request.command('acknowledge').description('note that the person was told of the receipt'),
    (client, id) => client.moveClock(id, 'acknowledge'),
  );
}
