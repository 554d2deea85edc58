import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { createClientTls, runConformance } from '../../connectors/index.ts';
import { type Config, HabeasError, loadConfig } from '../../foundation/index.ts';
import { type CheckSigning, fileSigning, serverSigning } from '../check-signing.ts';
import { type CliContext, type ConfigOptions, withConfigOptions } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { dataDirOf } from '../local-server.ts';
import { identitiesOf, list, positiveNumber } from '../option-values.ts';
import { conformanceEndLines, conformanceLines } from '../render/conformance.ts';
import type { Run } from '../verb.ts';

interface CheckOptions extends ConfigOptions {
  readonly protocol: 'grpc' | 'http';
  readonly service: string;
  readonly identity: readonly string[];
  readonly asServer?: true;
  readonly erase: boolean;
  readonly timeout: number;
}

const KEY_FILE = 'client-check-key.json';

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
  ).action((address: string, options: CheckOptions) => run((context) => check(context, address, options)));
}

async function check(context: CliContext, address: string, options: CheckOptions): Promise<ExitName> {
  const { terminal, paint, folder, environment, signal } = context;
  const config = loadConfig({
    file: options.config,
    folder,
    environment,
    only: ['organization', 'data_dir', 'clients'],
  });
  const signing = await signingFor(context, config, options);
  const quiet = options.json === true;
  const started = performance.now();
  try {
    if (!quiet) terminal.note(`${trust(signing, options).join('\n')}\n\n`);
    const results = await runConformance({
      address,
      protocol: options.protocol,
      tls: createClientTls(config)(address),
      service: options.service,
      subject: identitiesOf(options.identity),
      signToken: signing.signToken,
      signExpiredToken: signing.signExpiredToken,
      erase: options.erase,
      timeoutMilliseconds: options.timeout,
      signal,
      onCase: (result) => {
        if (!quiet) terminal.out(`${conformanceLines(result, terminal.width, paint).join('\n')}\n`);
      },
    });
    if (quiet)
      terminal.out(`${JSON.stringify({ address, service: options.service, items: results }, null, 2)}\n`);
    else terminal.out(`${conformanceEndLines(results, performance.now() - started, paint).join('\n')}\n`);
    return results.some(({ outcome }) => outcome === 'failed') ? 'failed' : 'done';
  } finally {
    await signing.close();
  }
}

async function signingFor(context: CliContext, config: Config, options: CheckOptions): Promise<CheckSigning> {
  if (options.asServer === true) return serverSigning(context, config);
  if (options.identity.length === 0)
    throw new HabeasError('BAD_INPUT', 'Name a test person with --identity.');
  return fileSigning(resolve(dataDirOf(config), KEY_FILE));
}

function trust(signing: CheckSigning, options: CheckOptions): readonly string[] {
  const whose = options.asServer === true ? "the server's key" : 'a key for checks';
  return [
    `Calls are signed with ${whose}; the service has to trust it:`,
    `  HABEAS_PUBLIC_KEY=${signing.publicKey}`,
  ];
}
