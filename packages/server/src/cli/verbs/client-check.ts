import { type Command, Option } from 'commander';
import type { CheckOptions } from '../actions/client-check.ts';
import { withConfigOptions } from '../context.ts';
import { list, positiveNumber } from '../option-values.ts';
import type { Run } from '../verb.ts';

/** `habeas clients check`: the cases of the contract against any service in any language. */
export function clientCheckVerb(clients: Command, run: Run): void {
  withConfigOptions(
    clients
      .command('check')
      .description(
        'run the cases of the contract against a service, with a test person whose data is gone afterwards',
      )
      .argument('<address>', 'host:port of the service')
      .requiredOption('--service <name>', 'name of the service; tokens are made out to it')
      .requiredOption(
        '--identity <type=value>',
        'the test person, such as email=test@example.org; repeatable',
        list,
      )
      .addOption(
        new Option('--protocol <protocol>', 'how it is spoken to').choices(['grpc', 'http']).default('grpc'),
      )
      .option('--no-erase', 'leave the test person there; cases that erase are skipped')
      .option('--as-server', 'sign with the key of the configured server instead of a key for checks')
      .option('--timeout <ms>', 'longest time for one call', positiveNumber, 10_000),
  ).action((address: string, options: CheckOptions) =>
    run(async (context) => (await import('../actions/client-check.ts')).check(context, address, options)),
  );
}
