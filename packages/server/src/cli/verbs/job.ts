import type { RunJobVerbOptions } from '../actions/job.ts';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import type { Verb } from '../verb.ts';

/** `habeas job`: jobs that see only people who agreed to what the job is for. */
export const jobVerb: Verb = (program, run) => {
  const job = program.command('job').description('run jobs for a purpose, and prove it');

  withServerOptions(
    job
      .command('run')
      .description('run a job on the rows of people whose data may be used for its purpose')
      .argument('<file>', 'the SQL; its first lines say -- purpose: <code>')
      .option('--config <file>', 'configuration file (default: habeas.yaml)')
      .option('--target <key>', 'key of the target (default: the one that the job names, or the only one)')
      .option('--output <file>', 'write the rows there as CSV (default: standard output)'),
  ).action((file: string, options: RunJobVerbOptions) =>
    run(async (context) => (await import('../actions/job.ts')).runJobFile(context, file, options)),
  );

  withServerOptions(job.command('list').description('list jobs with their purposes')).action(
    (options: ServerOptions) =>
      run(async (context) => {
        const items = await clientFor(context, options).listJobs();
        print(context, options, {
          json: { items },
          lines: () =>
            items.length === 0
              ? ['there are no jobs']
              : items.map(
                  (one) =>
                    `${one.job}  ${one.purpose ?? 'no purpose'}  ${one.target ?? 'no target'}  ${one.runs === 0 ? 'never ran' : `${one.runs} runs, last ${one.last_run_id} at ${one.last_run_at}`}`,
                ),
        });
        return 'done';
      }),
  );

  withServerOptions(
    job
      .command('receipt')
      .description('show the signed receipt of a run, for `habeas verify`')
      .argument('<run>', 'id of the run'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const receipt = await clientFor(context, options).getJobRunReceipt(id);
      print(context, options, { json: receipt, lines: () => [JSON.stringify(receipt, null, 2)] });
      return 'done';
    }),
  );
};
