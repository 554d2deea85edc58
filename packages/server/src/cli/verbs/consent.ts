import { Option } from 'commander';
import type { PlanOptions, RewriteOptions, TargetOptions } from '../actions/consent.ts';
import type { RewriteDuckDbOptions } from '../actions/rewrite-duckdb.ts';
import { type ConfigOptions, withConfigOptions } from '../context.ts';
import type { Verb } from '../verb.ts';
import { consentExportVerb } from './consent-export.ts';
import { consentImportVerb } from './consent-import.ts';
import { consentPropagationVerb } from './consent-propagation.ts';

/** `habeas consent`: what people agreed to, enforced in databases. */
export const consentVerb: Verb = (program, run) => {
  const consent = program
    .command('consent')
    .description('let jobs see only people who agreed, import who did, and see who is told');
  const actions = () => import('../actions/consent.ts');
  const target = '--target <key>';
  const which = 'key of the target (default: the only one)';

  withConfigOptions(
    consent
      .command('plan')
      .description('compare a database with what the configuration says, and change nothing')
      .option(target, which)
      .option('--out <file>', 'write the plan there, with its statements, for habeas consent apply'),
  ).action((options: PlanOptions) => run(async (context) => (await actions()).planTarget(context, options)));

  withConfigOptions(
    consent
      .command('apply')
      .description('do a saved plan, or nothing if the database or the configuration has changed since')
      .argument('<file>', 'that habeas consent plan --out wrote'),
  ).action((file: string, options: ConfigOptions) =>
    run(async (context) => (await actions()).applyPlan(context, file, options)),
  );

  withConfigOptions(
    consent
      .command('install')
      .description('make in a database what enforces consent, and put right what somebody changed')
      .option(target, which),
  ).action((options: TargetOptions) =>
    run(async (context) => (await actions()).installTarget(context, options)),
  );

  withConfigOptions(
    consent
      .command('rewrite')
      .description('narrow a statement to the people whose data may be used for a purpose')
      .argument('<file>', 'the statement, or - for standard input')
      .requiredOption('--purpose <code>', 'code of the purpose')
      .option(target, which)
      .option('--explain', 'say how each table is narrowed, why, and how many rows each purpose takes away')
      .addOption(
        new Option('--engine <engine>', 'whose SQL it is')
          .choices(['postgres', 'duckdb'])
          .default('postgres'),
      )
      .option(
        '--table <table=identity:column...>',
        'DuckDB: a table, how it names people, and in which column',
      )
      .option('--open-table <table...>', 'DuckDB: a table without personal data')
      .option(
        '--consent <file...>',
        'DuckDB: an export by habeas consent export, with its manifest beside it',
      )
      .option('--organization <key>', 'DuckDB: whose the exports have to be')
      .option('--public-key <x...>', 'DuckDB: public keys that are trusted (base64url)')
      .option('--database <file>', 'DuckDB: the database in which it will run, so that its macros are known'),
  ).action((file: string, options: RewriteOptions & RewriteDuckDbOptions & { readonly engine: string }) =>
    run(async (context) =>
      options.engine === 'duckdb'
        ? (await import('../actions/rewrite-duckdb.ts')).rewriteForDuckDb(context, file, options)
        : (await actions()).rewrite(context, file, options),
    ),
  );

  consentExportVerb(consent, run);
  consentImportVerb(consent, run);
  consentPropagationVerb(consent, run);
};
