import type { api } from '@habeas/contract';
import { type Command, Option } from 'commander';
import { HabeasError } from '../../foundation/errors.ts';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { regimeOption, subjectKindOption } from '../law-options.ts';
import { list, right as parseRight } from '../option-values.ts';
import { planLines } from '../render/plan.ts';
import type { Run } from '../verb.ts';

interface PlanOptions extends ServerOptions {
  readonly identityType?: readonly string[];
  readonly request?: string;
  readonly dryRun?: true;
  readonly regime?: api.Regime;
  readonly subjectKind?: api.SubjectKind;
  readonly target?: readonly string[];
  readonly purpose?: readonly string[];
  readonly lift?: true;
}

/** `habeas plan`: what a request would do, or will do, and why. */
export function planVerb(program: Command, run: Run): void {
  withServerOptions(
    program
      .command('plan')
      .description('show what a request would do, step by step, what it keeps and what is missing')
      .argument('[right]', 'access, erase, rectification, restriction or another right', parseRight)
      .addOption(
        new Option(
          '--identity-type <type>',
          'what is known of the person; repeatable (default: email)',
        ).argParser(list),
      )
      .addOption(regimeOption())
      .addOption(subjectKindOption())
      .option('--dry-run', 'the plan that only counts')
      .option('--target <target>', 'what a rectification changes; repeatable', list)
      .option('--purpose <purpose>', 'what an objection is against; repeatable', list)
      .option('--lift', 'the plan that ends a restriction, an objection or an opt-out')
      .option('--request <id>', 'the frozen plan of this request'),
  ).action((right: ReturnType<typeof parseRight> | undefined, options: PlanOptions) =>
    run(async (context) => {
      const client = clientFor(context, options);
      if (right === undefined && options.request === undefined) {
        throw new HabeasError(
          'BAD_INPUT',
          'Say which plan: `habeas plan access`, `habeas plan erase`, another right, or --request ID.',
        );
      }
      const plan =
        options.request === undefined
          ? await client.previewPlan({
              right: right ?? 'access',
              identity_types: [...(options.identityType ?? ['email'])],
              dry_run: options.dryRun === true,
              ...(options.regime === undefined ? {} : { regime: options.regime }),
              ...(options.subjectKind === undefined ? {} : { subject_kind: options.subjectKind }),
              lift: options.lift === true,
              ...(options.target === undefined ? {} : { targets: [...options.target] }),
              ...(options.purpose === undefined ? {} : { purposes: [...options.purpose] }),
            })
          : await client.getPlan(options.request);
      print(context, options, {
        json: plan,
        lines: () => planLines(plan, context.terminal.width, context.paint),
      });
      return 'done';
    }),
  );
}
