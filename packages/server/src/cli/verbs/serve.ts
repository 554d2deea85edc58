import { type Command, Option } from 'commander';
import { type Config, createLogger, loadConfig } from '../../foundation/index.ts';
import { type CliContext, type ConfigOptions, withConfigOptions } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { startServer } from '../local-server.ts';
import { portNumber } from '../option-values.ts';
import { servedLines } from '../render/served.ts';
import { untilAborted } from '../until-aborted.ts';
import type { Run } from '../verb.ts';

interface ServeOptions extends ConfigOptions {
  readonly host?: string;
  readonly port?: number;
  readonly newKey?: true;
  readonly logLevel?: string;
}

/** `habeas serve`: runs the server until it is told to stop. */
export function serveVerb(program: Command, run: Run): void {
  withConfigOptions(
    program
      .command('serve')
      .description('start the server')
      .option('--host <address>', 'where to listen (default: listen.host of the configuration, or 127.0.0.1)')
      .option(
        '--port <port>',
        'port to listen on (default: listen.port of the configuration, or 7311)',
        portNumber,
      )
      .addOption(
        new Option(
          '--log-level <level>',
          'what goes to standard error (default: warn on a terminal, else info)',
        ).choices(['debug', 'info', 'warn', 'error', 'silent']),
      )
      .option('--new-key', 'make another admin key and print it, for when the first one was lost'),
  ).action((options: ServeOptions) => run((context) => serve(context, options)));
}

async function serve(context: CliContext, options: ServeOptions): Promise<ExitName> {
  const { terminal, paint, environment, folder } = context;
  const config = withListen(loadConfig({ file: options.config, folder, environment }), options);
  const served = await startServer(context, config, {
    logger: createLogger({ level: options.logLevel ?? (terminal.interactive ? 'warn' : 'info') }),
    onProgress: (line) => terminal.note(`${paint.quiet(line)}\n`),
  });
  try {
    const key =
      options.newKey === true ? await served.state.createKey('made by serve --new-key') : served.firstKey;
    const { url } = served;
    const publicKeys = await served.state.publicKeys();
    const lines = () => servedLines({ url, key, publicKeys, configured: config.file !== undefined }, paint);
    terminal.out(
      options.json === true
        ? `${JSON.stringify({ url, ...(key === undefined ? {} : { key }), public_keys: publicKeys })}\n`
        : `${lines().join('\n')}\n`,
    );
    await untilAborted(context.signal);
    terminal.note(`${paint.quiet('stopping; running tasks may end')}\n`);
  } finally {
    await served.close();
  }
  return 'done';
}

function withListen(config: Config, { host, port }: ServeOptions): Config {
  return {
    ...config,
    listen: {
      ...config.listen,
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
    },
  };
}
