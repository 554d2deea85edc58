import { checkProject } from '../check-project.ts';
import type { CliContext, ConfigOptions } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { findingLines, reportLine } from '../render/findings.ts';

export interface CheckOptions extends ConfigOptions {
  readonly offline?: true;
}

export async function check(context: CliContext, options: CheckOptions): Promise<ExitName> {
  const { terminal, paint, folder, environment, signal } = context;
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
}
