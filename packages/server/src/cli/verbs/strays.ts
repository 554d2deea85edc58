import type { StraysOptions } from '../actions/strays.ts';
import { withConfigOptions } from '../context.ts';
import { list } from '../option-values.ts';
import type { Verb } from '../verb.ts';

/** `habeas strays`: files that no row names, and rows that name no file. */
export const straysVerb: Verb = (program, run) => {
  withConfigOptions(
    program
      .command('strays')
      .description('look for files that no row of a database names, and for rows whose file is gone')
      .argument('[connection...]', 'keys of connections whose files or objects are compared (default: all)')
      .option('--list', 'say which: paths and values may be personal')
      .option('--older-than <time>', 'younger files are no strays, such as 30m, 1h or 2d', '1h')
      .option(
        '--optional <type>',
        'an identity that need not have a file, such as user_id; repeatable',
        list,
      ),
  ).action((connections: readonly string[], options: StraysOptions) =>
    run(async (context) => (await import('../actions/strays.ts')).strays(context, connections, options)),
  );
};
