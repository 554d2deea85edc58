import type { Command } from 'commander';
import { checkProject } from '../check-project.ts';
import { type ConfigOptions, withConfigOptions } from '../context.ts';
import { findingLines, reportLine } from '../render/findings.ts';
import type { Run } from '../verb.ts';

interface CheckOptions extends ConfigOptions {
  readonly offline?: true;
}

/** `habeas check`: what is wrong with configuration, policy and datasets, each with its line. */
export function checkVerb(program: Command, run: Run): void {
  withConfigOptions(
    program
      .command('check')
      .description(
        'look for mistakes in configuration, policy and datasets, and compare them with the live schema',
      )
      .option('--offline', 'compare with no database'),
  ).action((options: CheckOptions) =>
    run(async ({ terminal, paint, folder, environment, signal }) => {
      const report = await checkProject({
        file: options.config,
        folder,
        environment,
        offline: options.offline === true,
        signal,
      });
      if (options.json === true) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
      else {
        const lines = [...findingLines(report.findings, paint), reportLine(report, paint)];
        terminal.out(`${lines.join('\n')}\n`);
      }
      return report.findings.some(({ severity }) => severity === 'error') ? 'failed' : 'done';
    }),
  );
}
