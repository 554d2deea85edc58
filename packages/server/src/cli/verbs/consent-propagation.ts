import type { api } from '@habeas/contract';
import { type Command, Option } from 'commander';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { count as parseCount } from '../option-values.ts';
import { destinationLines, messageLines } from '../render/consent-propagation.ts';
import { count } from '../render/text.ts';
import type { Run } from '../verb.ts';

interface MessagesOptions extends ServerOptions {
  readonly state?: api.ConsentMessage['state'];
  readonly limit: number;
}

/** `habeas consent propagation`: what systems outside were told of what people agree to. */
export function consentPropagationVerb(consent: Command, run: Run): void {
  const propagation = consent
    .command('propagation')
    .description('what systems outside were told of what people agree to');
  withServerOptions(
    propagation
      .command('list', { isDefault: true })
      .description('list destinations and how far behind they are'),
  ).action((options: ServerOptions) =>
    run(async (context) => {
      const items = await clientFor(context, options).listConsentDestinations();
      const { terminal, paint } = context;
      print(context, options, {
        json: { items },
        lines: () => destinationLines(items, terminal.width, paint),
      });
      return 'done';
    }),
  );
  withServerOptions(
    propagation
      .command('messages')
      .description('list what a destination has not acknowledged, longest first')
      .argument('<destination>', 'key of the destination')
      .addOption(
        new Option('--state <state>', 'only those that are so').choices(['waiting', 'sent', 'given_up']),
      )
      .option('--limit <n>', 'how many', parseCount, 50),
  ).action((destination: string, options: MessagesOptions) =>
    run(async (context) => {
      const { state, limit } = options;
      const items = await clientFor(context, options).listConsentMessages({ destination, state, limit });
      const { terminal, paint } = context;
      print(context, options, { json: { items }, lines: () => messageLines(items, terminal.width, paint) });
      return 'done';
    }),
  );
  withServerOptions(
    propagation
      .command('retry')
      .description('send again what a destination has not acknowledged')
      .argument('<destination>', 'key of the destination')
      .argument('[messages...]', 'ids of messages (default: all that are not acknowledged)')
      .option('--everybody', 'also what it has acknowledged, such as after it lost what it had'),
  ).action(
    (
      destination: string,
      messages: readonly string[],
      options: ServerOptions & { readonly everybody?: true },
    ) =>
      run(async (context) => {
        const chosen = messages.length === 0 ? {} : { messages: [...messages] };
        const everybody = options.everybody === true;
        const result = await clientFor(context, options).retryConsentPropagation({
          destination,
          ...chosen,
          everybody,
        });
        print(context, options, {
          json: result,
          lines: () => [`${count(result.messages, 'message')} sent again to ${destination}.`],
        });
        return 'done';
      }),
  );
}
