import type { Command } from 'commander';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { count as parseCount } from '../option-values.ts';
import { count } from '../render/text.ts';
import { deadLetterLines, webhookLines } from '../render/webhooks.ts';
import type { Run } from '../verb.ts';

/** `habeas webhooks`: how webhooks are doing, and what they did not take. */
export function webhooksVerb(program: Command, run: Run): void {
  const webhooks = program
    .command('webhooks')
    .description('how the webhooks of the configuration are doing, and what they did not take');
  withServerOptions(
    webhooks.command('list', { isDefault: true }).description('list webhooks and how they are doing'),
  ).action((options: ServerOptions) =>
    run(async (context) => {
      const items = await clientFor(context, options).listWebhooks();
      print(context, options, {
        json: { items },
        lines: () => webhookLines(items, context.terminal.width, context.paint),
      });
      return 'done';
    }),
  );
  withServerOptions(
    webhooks
      .command('dead')
      .description('list messages that a webhook did not take in any of their tries, newest first')
      .option('--receiver <name>', 'only those of this webhook')
      .option('--limit <n>', 'how many', parseCount, 50),
  ).action((options: ServerOptions & { readonly receiver?: string; readonly limit: number }) =>
    run(async (context) => {
      const { receiver, limit } = options;
      const items = await clientFor(context, options).listDeadLetters({ receiver, limit });
      print(context, options, {
        json: { items },
        lines: () => deadLetterLines(items, context.terminal.width, context.paint),
      });
      return 'done';
    }),
  );
  withServerOptions(
    webhooks
      .command('replay')
      .description('send dead letters again, from their first try on')
      .argument('<receiver>', 'name of the webhook')
      .argument('[events...]', 'ids of events (default: all of the webhook)'),
  ).action((receiver: string, events: readonly string[], options: ServerOptions) =>
    run(async (context) => {
      const chosen = events.length === 0 ? {} : { events: [...events] };
      const result = await clientFor(context, options).replayDeadLetters({ receiver, ...chosen });
      print(context, options, {
        json: result,
        lines: () => [`${count(result.replayed, 'message')} sent again to ${receiver}.`],
      });
      return 'done';
    }),
  );
  withServerOptions(
    webhooks
      .command('enable')
      .description('send to a webhook again that answered 410')
      .argument('<receiver>', 'name of the webhook'),
  ).action((receiver: string, options: ServerOptions) =>
    run(async (context) => {
      const items = await clientFor(context, options).enableWebhook(receiver);
      print(context, options, {
        json: { items },
        lines: () => webhookLines(items, context.terminal.width, context.paint),
      });
      return 'done';
    }),
  );
}
