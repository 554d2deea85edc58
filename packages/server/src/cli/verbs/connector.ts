import type { ConnectorTestOptions } from '../actions/connector-test.ts';
import { withConfigOptions } from '../context.ts';
import { list } from '../option-values.ts';
import type { Verb } from '../verb.ts';

/** `habeas connector`: what a user who writes a connector needs. */
export const connectorVerb: Verb = (program, run) => {
  const connector = program.command('connector').description('try out connectors, your own ones too');
  withConfigOptions(
    connector
      .command('test')
      .description(
        'run the rules of every connector against a store, with test people whose data is gone afterwards',
      )
      .argument('[connection]', 'key of a connection of the configuration')
      .option('--fixture <module>', 'ES module whose `open` makes a fresh store for each rule')
      .option(
        '--person <type=value>',
        'a test person who exists in the store and may be erased; repeatable, one for each rule that erases',
        list,
      )
      .option('--other <type=value>', 'a test person who has data and stays')
      .option('--no-erase', 'erase nobody; rules that erase are skipped'),
  ).action((connection: string | undefined, options: ConnectorTestOptions) =>
    run(async (context) =>
      (await import('../actions/connector-test.ts')).connectorTest(context, connection, options),
    ),
  );
};
