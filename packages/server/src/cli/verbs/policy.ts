import type { Command } from 'commander';
import type { ExplainOptions } from '../actions/policy.ts';
import { type ConfigOptions, withConfigOptions } from '../context.ts';
import { regimeOption, subjectKindOption } from '../law-options.ts';
import { right as parseRight } from '../option-values.ts';
import type { Run } from '../verb.ts';

/** `habeas policy`: what the rules say, and what is wrong with them. */
export function policyVerb(program: Command, run: Run): void {
  const policy = program.command('policy').description('ask the policy, and look for mistakes in it');
  withConfigOptions(
    policy
      .command('explain')
      .description('what the policy says of a case, and which rule says it')
      .requiredOption('--right <right>', 'access or erase', parseRight)
      .option('--category <category>', 'a data category, such as user.financial')
      .addOption(regimeOption())
      .addOption(subjectKindOption()),
  ).action((options: ExplainOptions) =>
    run(async (context) => (await import('../actions/policy.ts')).explain(context, options)),
  );
  withConfigOptions(
    policy
      .command('lint')
      .description('look for mistakes and contradictions in a policy file')
      .argument('[file]', 'the policy file (default: the one of the configuration)'),
  ).action((file: string | undefined, options: ConfigOptions) =>
    run(async (context) => (await import('../actions/policy.ts')).lint(context, file, options)),
  );
}
