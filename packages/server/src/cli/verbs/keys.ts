import { api } from '@habeas/contract';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { list, moment } from '../option-values.ts';
import { keyLines, newKeyLines } from '../render/keys.ts';
import type { Run } from '../verb.ts';

interface NewKeyOptions {
  readonly expires?: Date;
  readonly role: api.Role;
  readonly scope?: readonly api.Scope[];
  readonly team?: readonly string[];
}

/** `habeas keys`: who may call the server. */
export function keysVerb(program: Command, run: Run): void {
  const keys = program
    .command('keys')
    .description('list, create and revoke API keys: who may call the server');
  withServerOptions(
    keys.command('list', { isDefault: true }).description('list API keys, newest first; no key is shown'),
  ).action((options: ServerOptions) =>
    run(async (context) => {
      const items = await clientFor(context, options).listKeys();
      print(context, options, {
        json: { items },
        lines: () =>
          keyLines(items, { width: context.terminal.width, paint: context.paint, now: new Date() }),
      });
      return 'done';
    }),
  );
  withServerOptions(
    keys
      .command('create')
      .description('make an API key and print it, once')
      .argument('<name>', 'what it is for; no personal data')
      .option('--expires <when>', 'such as 90d, or 2027-01-31 (default: never)', moment)
      .addOption(
        new Option('--role <role>', 'may do what people in this role may')
          .choices(Object.keys(api.ROLES))
          .default('owner')
          .conflicts('scope'),
      )
      .option('--scope <scope>', 'may do this alone, such as map:read; may be given more than once', scopes)
      .option(
        '--team <team>',
        'sees and does the tickets of this team alone; may be given more than once',
        list,
      ),
  ).action((name: string, options: ServerOptions & NewKeyOptions) =>
    run(async (context) => {
      const made = await clientFor(context, options).createKey({
        name,
        expires_at: options.expires?.toISOString() ?? null,
        scopes: [...(options.scope ?? api.ROLES[options.role])],
        teams: options.team?.slice() ?? null,
      });
      print(context, options, { json: made, lines: () => newKeyLines(made) });
      return 'done';
    }),
  );
  withServerOptions(
    keys.command('revoke').description('revoke an API key: from now on it is refused').argument('<id>'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const revoked = await clientFor(context, options).revokeKey(id);
      print(context, options, { json: revoked, lines: () => [`Key ${revoked.id} is revoked.`] });
      return 'done';
    }),
  );
}

/** Repeatable scope. */
function scopes(text: string, before: readonly api.Scope[] = []): readonly api.Scope[] {
  const scope = api.scopeSchema.safeParse(text);
  if (!scope.success) throw new InvalidArgumentError(`It must be one of ${api.ALL_SCOPES.join(', ')}.`);
  return [...before, scope.data];
}
