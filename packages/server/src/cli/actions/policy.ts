import { relative, resolve } from 'node:path';
import type { api } from '@habeas/contract';
import { HabeasError, loadConfig, systemClock } from '../../foundation/index.ts';
import { explainPolicy, lintPolicy, loadPolicy, readPolicy } from '../../policy/index.ts';
import { type CliContext, type ConfigOptions, print } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { findingLines } from '../render/findings.ts';
import { explanationLines } from '../render/policy.ts';
import { count } from '../render/text.ts';

export interface ExplainOptions extends ConfigOptions {
  readonly right: api.Right;
  readonly category?: string;
  readonly regime?: api.Regime;
  readonly subjectKind?: api.SubjectKind;
}

/** What the policy of the configuration says of a case. */
export async function explain(context: CliContext, options: ExplainOptions): Promise<ExitName> {
  const file = policyFile(context, options);
  const shown = file === undefined ? undefined : relative(context.folder, file);
  const now = systemClock.now();
  const policy = loadPolicy(file, now, shown);
  const { right, category, regime, subjectKind } = options;
  if (category !== undefined && !/^[a-z_]+(\.[a-z_]+)*$/.test(category))
    throw new HabeasError('BAD_INPUT', '--category must be a data category such as user.financial.');
  const explanation = explainPolicy(policy, { right, category, regime, subjectKind, now });
  print(context, options, { json: explanation, lines: () => explanationLines(explanation, context.paint) });
  return 'done';
}

/** Looks for mistakes in the policy file. Ends with 1 if there is one. */
export async function lint(
  context: CliContext,
  given: string | undefined,
  options: ConfigOptions,
): Promise<ExitName> {
  const file = given === undefined ? policyFile(context, options) : resolve(context.folder, given);
  if (file === undefined)
    throw new HabeasError(
      'BAD_INPUT',
      'The configuration names no policy file. Name one: `habeas policy lint policy.yml`.',
    );
  const report = lintPolicy(readPolicy(file), relative(context.folder, file), systemClock.now());
  const findings = report.findings.map((finding) => ({ ...finding, code: 'POLICY_INVALID' }));
  print(context, options, {
    json: report,
    lines: () => [
      ...findingLines(findings, context.paint),
      report.version === null
        ? context.paint.bad('The policy cannot be used.')
        : `${count(report.rules, 'rule')}, version ${report.version.slice(0, 12)}.`,
    ],
  });
  return report.version === null ? 'failed' : 'done';
}

/** The policy file of the configuration; undefined: it has none, and the built-in policy counts. */
function policyFile({ folder, environment }: CliContext, options: ConfigOptions): string | undefined {
  const config = loadConfig({ file: options.config, folder, environment, only: ['policy'] });
  return config.policy === undefined ? undefined : resolve(config.folder, config.policy);
}
