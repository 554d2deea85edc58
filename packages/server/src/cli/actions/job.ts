import { isAbsolute, relative, resolve } from 'node:path';
import { jobPathOf, readJobHeader, requirePostgres, runJob } from '../../consent/index.ts';
import { loadConfig, systemClock } from '../../foundation/index.ts';
import { type CliContext, clientFor, type ServerOptions } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { toFile, toTerminal } from '../job-output.ts';
import { readGiven } from '../read-given.ts';
import { onTarget } from './consent.ts';

export interface RunJobVerbOptions extends ServerOptions {
  readonly config?: string;
  readonly target?: string;
  readonly output?: string;
}

/** Rows go to the file or to standard output; what the run is called, to standard error. */
export async function runJobFile(
  context: CliContext,
  file: string,
  options: RunJobVerbOptions,
): Promise<ExitName> {
  const { terminal, folder } = context;
  const sql = readGiven(context, file);
  const path = pathOf(context, file, options);
  const target = options.target ?? readJobHeader(sql, path).target;
  const client = clientFor(context, options);
  const place = { ...(options.config === undefined ? {} : { config: options.config }) };
  const receipt = await onTarget(
    context,
    { ...place, ...(target === undefined ? {} : { target }) },
    async (one, opened) => {
      const { pool, use } = requirePostgres(opened, one.target.key);
      return use(async (spare) =>
        runJob({
          file: path,
          sql,
          target: one.target,
          pool,
          clock: systemClock,
          output:
            options.output === undefined
              ? toTerminal(terminal)
              : await toFile(resolve(folder, options.output)),
          record: (run) => client.recordJobRun(run),
          signal: context.signal,
          spare,
        }),
      );
    },
  );
  const { job_run_id: id, rows, watermark, purpose } = receipt.receipt;
  if (options.json === true) terminal.note(`${JSON.stringify(receipt)}\n`);
  else
    terminal.note(
      `${id}: ${rows.toLocaleString('en')} rows for ${purpose}, with what people had agreed to at ${watermark.as_of}\n`,
    );
  return 'done';
}

/** As the server names the file in its folder of jobs; of one that lies elsewhere, as it was named. */
function pathOf({ folder, environment }: CliContext, file: string, { config }: RunJobVerbOptions): string {
  const loaded = loadConfig({ file: config, folder, environment, only: ['organization', 'consent'] });
  const given = resolve(folder, file);
  const jobs = resolve(loaded.folder, loaded.consent.jobs);
  const path = jobPathOf(given, { folder: loaded.folder, jobs });
  if (path !== given) return path;
  return isAbsolute(file) ? relative(folder, file) : file;
}
