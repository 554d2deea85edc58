import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type CliParts, runCli } from '../../packages/server/src/cli/index.ts';

/** Lets shells run `habeas …` and `npx habeas …` in this process: a tenth of the time that a process each would take. */
export interface CommandHost {
  /** To be put first on PATH. */
  readonly bin: string;
  /** What `habeas serve` gave, as a reader would copy it from the screen. */
  readonly known: { readonly HABEAS_URL?: string; readonly HABEAS_API_KEY?: string };
  /** Stops the server that runs, if there is one. */
  stopServing(): Promise<void>;
  close(): Promise<void>;
}

interface Asked {
  readonly argv: readonly string[];
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly input: string;
}

interface Ended {
  readonly out: string;
  readonly notes: string;
  readonly exit: number;
}

export async function startCommandHost(options: {
  /** An empty folder of the host's own. */
  readonly folder: string;
  readonly parts: CliParts;
  /** Where servers listen that are started without `--port`. */
  readonly port: number;
}): Promise<CommandHost> {
  const bin = join(options.folder, 'bin');
  const socketPath = join(options.folder, 'habeas.sock');
  writeCommands(bin, socketPath);
  let known: CommandHost['known'] = {};
  let serving: { readonly stop: () => void; readonly ended: Promise<unknown> } | undefined;

  const run = (asked: Asked, signal: AbortSignal, tell: (out: string) => void): Promise<Ended> => {
    let out = '';
    let notes = '';
    const isServer = asked.argv[0] === 'serve';
    const write = (chunk: string) => {
      out += chunk;
      tell(out);
    };
    return runCli({
      argv: isServer ? [...asked.argv, '--port', String(options.port)] : asked.argv,
      folder: asked.folder,
      environment: { ...asked.environment, ...known },
      parts: options.parts,
      signal,
      readInput: async () => asked.input,
      terminal: {
        out: write,
        pour: async (chunk) => write(chunk),
        note: (chunk) => {
          notes += chunk;
        },
        width: 100,
        // On a terminal a server logs warnings only.
        interactive: isServer,
        color: false,
      },
    }).then((exit) => ({ out, notes, exit }));
  };

  /** Goes on in the background once the server has said where it listens; what it printed is the command's output. */
  const serve = async (asked: Asked): Promise<Ended> => {
    await stopServing();
    const controller = new AbortController();
    const listens = Promise.withResolvers<Ended>();
    const ended = run(asked, controller.signal, (out) => {
      const [, url] = /Habeas listens on (\S+)/.exec(out) ?? [];
      if (url === undefined || !out.endsWith('\n\n')) return;
      const [, key] = /HABEAS_API_KEY=(habeas_\w+)/.exec(out) ?? [];
      known = { ...known, HABEAS_URL: url, ...(key === undefined ? {} : { HABEAS_API_KEY: key }) };
      listens.resolve({ out, notes: '', exit: 0 });
    });
    ended.then(listens.resolve, listens.reject);
    serving = { stop: () => controller.abort(), ended };
    return listens.promise;
  };

  async function stopServing(): Promise<void> {
    serving?.stop();
    await serving?.ended;
    serving = undefined;
  }

  const answer = async (socket: Socket): Promise<void> => {
    const asked: Asked = JSON.parse(await text(socket));
    const ended =
      asked.argv[0] === 'serve'
        ? await serve(asked)
        : await run(asked, new AbortController().signal, () => undefined);
    socket.end(JSON.stringify(ended));
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    answer(socket).catch((error: unknown) => socket.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    bin,
    get known() {
      return known;
    },
    stopServing,
    async close() {
      await stopServing();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Programs of these names that pass on what they are asked. `npx` knows two of what a checkout installs: `habeas` and `node`. */
function writeCommands(bin: string, socketPath: string): void {
  mkdirSync(bin, { recursive: true });
  const program = `#!${process.execPath}
const { readFileSync, writeSync } = require('node:fs');
const argv = process.argv.slice(2);
const name = __filename.endsWith('npx') ? argv.shift() : 'habeas';
if (name === 'node') process.exit(require('node:child_process').spawnSync(process.execPath, argv, { stdio: 'inherit' }).status ?? 1);
if (name !== 'habeas') throw new Error('npx runs habeas and node only here');
const asked = { argv, folder: process.cwd(), environment: process.env, input: readFileSync(0, 'utf8') };
const socket = require('node:net').connect(${JSON.stringify(socketPath)});
socket.end(JSON.stringify(asked));
let said = '';
socket.setEncoding('utf8').on('data', (chunk) => { said += chunk; });
socket.on('end', () => {
  const { out, notes, exit } = JSON.parse(said);
  writeSync(1, out);
  writeSync(2, notes);
  process.exitCode = exit;
});
`;
  for (const name of ['habeas', 'npx']) {
    writeFileSync(join(bin, name), program);
    chmodSync(join(bin, name), 0o755);
  }
}
