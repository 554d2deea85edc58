import { type Config, createLogger, loadConfig } from '../../foundation/index.ts';
import type { CliContext, ConfigOptions } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { startServer } from '../local-server.ts';
import { servedLines } from '../render/served.ts';
import { untilAborted } from '../until-aborted.ts';

export interface ServeOptions extends ConfigOptions {
  readonly host?: string;
  readonly port?: number;
  readonly newKey?: true;
  readonly logLevel?: string;
}

export async function serve(context: CliContext, options: ServeOptions): Promise<ExitName> {
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
