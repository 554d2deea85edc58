import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, createLogger, loadConfig } from '../../foundation/index.ts';
import type { CliContext, ConfigOptions } from '../context.ts';
import type { Diagnosis, Examination } from '../diagnosis.ts';
import { failed, localExaminations, serverExaminations } from '../examinations.ts';
import type { ExitName } from '../exit-code.ts';
import { dataDirOf, openStateOf, publicUrlOf } from '../local-server.ts';
import { pendingMigrations } from '../pending-migrations.ts';
import { openPostgres } from '../postgres.ts';
import { diagnosisLines } from '../render/diagnosis.ts';

export async function doctor(context: CliContext, options: ConfigOptions): Promise<ExitName> {
  const { terminal, environment, folder, paint, parts } = context;
  const diagnoses: Diagnosis[] = [];
  const examine = async ({ what, look }: Examination) => {
    const found = await look()
      .then((result) => (Array.isArray(result) ? result : [{ what, ...result }]))
      .catch((error: unknown) => [failed(what, error)]);
    for (const diagnosis of found) {
      diagnoses.push(diagnosis);
      if (options.json !== true)
        terminal.out(`${diagnosisLines(diagnosis, terminal.width, paint).join('\n')}\n`);
    }
    return found.every(({ verdict }) => verdict !== 'fail');
  };

  const config = loadConfig({ file: options.config, folder, environment });
  for (const examination of localExaminations(context, config)) await examine(examination);
  // Without a master key nothing that is stored can be opened; that was said, and the database would only say it again.
  const hasKey = diagnoses.every(({ what, verdict }) => what !== 'master key' || verdict !== 'fail');
  const ready = await examine({
    what: 'database',
    look: async () => {
      if (isNotMadeYet(context, config)) {
        return {
          verdict: 'warn',
          finding: 'There is none yet.',
          next: 'The first `habeas serve` makes one.',
        };
      }
      const postgres = await openPostgres({
        dataDir: dataDirOf(config),
        environment,
        onProgress: () => undefined,
      });
      try {
        const pending = await pendingMigrations(postgres.url(), await parts.migrations());
        const place = postgres.embedded
          ? 'The embedded PostgreSQL answers'
          : 'PostgreSQL at DATABASE_URL answers';
        return pending.length === 0
          ? { verdict: 'ok', finding: `${place}; its schema is up to date.` }
          : {
              verdict: 'warn',
              finding: `${place}; ${pending.length} changes of its schema are still to be made.`,
              next: 'The next `habeas serve` makes them.',
            };
      } finally {
        await postgres.stop();
      }
    },
  });
  // Looking further opens the state, which brings the schema up to date; that is not for a doctor to do.
  const upToDate = diagnoses.every(({ what, verdict }) => what !== 'database' || verdict === 'ok');
  if (ready && upToDate && hasKey) await examineServer(context, config, examine);
  const verdict = diagnoses.some(({ verdict }) => verdict === 'fail') ? 'failed' : 'done';
  if (options.json === true) terminal.out(`${JSON.stringify({ items: diagnoses }, null, 2)}\n`);
  return verdict;
}

/** The embedded server was never started here; a doctor does not set up a house. */
function isNotMadeYet({ environment }: CliContext, config: Config): boolean {
  const given = environment.DATABASE_URL !== undefined && environment.DATABASE_URL !== '';
  return !given && !existsSync(join(dataDirOf(config), 'postgres'));
}

async function examineServer(
  context: CliContext,
  config: Config,
  examine: (examination: Examination) => Promise<boolean>,
): Promise<void> {
  const logger = createLogger({ level: 'silent' });
  const opened = await attempt(examine, 'master key', () =>
    openStateOf(context, config, { logger, firstKey: 'leave', onProgress: () => undefined }),
  );
  if (opened === undefined) return;
  try {
    const server = await attempt(examine, 'configured systems', () =>
      opened.state.createServer(config, { publicUrl: publicUrlOf(config, config.listen) }),
    );
    if (server === undefined) return;
    try {
      for (const examination of serverExaminations(server)) await examine(examination);
    } finally {
      await server.close();
    }
  } finally {
    await opened.close();
  }
}

/** What was made; undefined if it could not be made, which is then a diagnosis. */
async function attempt<Made>(
  examine: (examination: Examination) => Promise<boolean>,
  what: string,
  make: () => Promise<Made>,
): Promise<Made | undefined> {
  let made: Made | undefined;
  await examine({
    what,
    look: async () => {
      made = await make();
      return [];
    },
  });
  return made;
}
