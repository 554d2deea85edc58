import type { api } from '@habeas/contract';
import type { Command } from 'commander';
import { HabeasError } from '../../foundation/errors.ts';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { identitiesOf, list, count as parseCount } from '../option-values.ts';
import { holdLines, holdListLines } from '../render/holds.ts';
import type { Run } from '../verb.ts';

interface PlaceOptions extends ServerOptions {
  readonly email?: string;
  readonly identity?: readonly string[];
  readonly system?: string;
  readonly category?: string;
  readonly organization?: true;
  readonly reason: string;
}

interface ListOptions extends ServerOptions {
  readonly limit: number;
  readonly cursor?: string;
}

/** `habeas hold`: legal holds, which keep what they cover from being destroyed. */
export function holdVerb(program: Command, run: Run): void {
  const hold = program.command('hold').description('place, list and release legal holds');
  withServerOptions(
    hold
      .command('place')
      .description('keep data from being destroyed, such as for a court case')
      .option('--email <address>', 'of a person; - reads it from standard input')
      .option('--identity <type=value>', 'another identity of the person; repeatable', list)
      .option('--system <key>', 'everything in one system')
      .option('--category <category>', 'a data category and all below it')
      .option('--organization', 'everything')
      .requiredOption('--reason <text>', 'why; no personal data'),
  ).action((options: PlaceOptions) =>
    run(async (context) => {
      const scope = scopeOf({
        ...options,
        ...(options.email === '-' ? { email: (await context.readInput()).replace(/\r?\n$/, '') } : {}),
      });
      const placed = await clientFor(context, options).placeHold({ scope, reason: options.reason });
      print(context, options, { json: placed, lines: () => holdLines(placed, context.paint) });
      return 'done';
    }),
  );
  withServerOptions(
    hold
      .command('list')
      .description('list legal holds, newest first')
      .option('--limit <n>', 'how many', parseCount, 50)
      .option('--cursor <cursor>', 'go on after an earlier list'),
  ).action((options: ListOptions) =>
    run(async (context) => {
      const { limit, cursor } = options;
      const page = await clientFor(context, options).listHolds({ limit, cursor });
      print(context, options, {
        json: page,
        lines: () => holdListLines(page, context.terminal.width, context.paint),
      });
      return 'done';
    }),
  );
  withServerOptions(
    hold.command('show').description('show a legal hold and what it holds').argument('<id>'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const found = await clientFor(context, options).getHold(id);
      print(context, options, { json: found, lines: () => holdLines(found, context.paint) });
      return 'done';
    }),
  );
  withServerOptions(
    hold
      .command('release')
      .description('let what a legal hold stopped go on')
      .argument('<id>')
      .requiredOption('--reason <text>', 'why; no personal data'),
  ).action((id: string, options: ServerOptions & { readonly reason: string }) =>
    run(async (context) => {
      const released = await clientFor(context, options).releaseHold(id, options.reason);
      print(context, options, { json: released, lines: () => holdLines(released, context.paint) });
      return 'done';
    }),
  );
}

function scopeOf(options: PlaceOptions): api.LegalHoldScope {
  const identities = [
    ...(options.email === undefined ? [] : [{ type: 'email', value: options.email }]),
    ...identitiesOf(options.identity ?? []),
  ];
  const scopes: api.LegalHoldScope[] = [
    ...(identities.length === 0 ? [] : [{ kind: 'subject' as const, identities }]),
    ...(options.system === undefined ? [] : [{ kind: 'system' as const, system: options.system }]),
    ...(options.category === undefined ? [] : [{ kind: 'category' as const, category: options.category }]),
    ...(options.organization === true ? [{ kind: 'organization' as const }] : []),
  ];
  const [scope, other] = scopes;
  if (scope !== undefined && other === undefined) return scope;
  throw new HabeasError(
    'BAD_INPUT',
    'Say what is held, one thing: --email or --identity, --system, --category, or --organization.',
  );
}
