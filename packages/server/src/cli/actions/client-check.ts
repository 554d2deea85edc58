import { resolve } from 'node:path';
import { conformanceCases, createClientTls, runConformance } from '../../connectors/index.ts';
import { type Config, HabeasError, loadConfig } from '../../foundation/index.ts';
import { type CheckSigning, fileSigning, serverSigning } from '../check-signing.ts';
import type { CliContext, ConfigOptions } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { dataDirOf } from '../local-server.ts';
import { identitiesOf } from '../option-values.ts';
import { conformanceEndLines, conformanceLines } from '../render/conformance.ts';

export interface CheckOptions extends ConfigOptions {
  readonly protocol: 'grpc' | 'http';
  readonly service: string;
  readonly identity: readonly string[];
  readonly asServer?: true;
  readonly erase: boolean;
  readonly timeout: number;
}

const KEY_FILE = 'client-check-key.json';

export async function check(context: CliContext, address: string, options: CheckOptions): Promise<ExitName> {
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
        const lines = conformanceLines(result, { cases: conformanceCases, width: terminal.width, paint });
        if (!quiet) terminal.out(`${lines.join('\n')}\n`);
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
