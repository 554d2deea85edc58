import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CONSENT_PACKAGE } from '../requirements.ts';

/** What the app is started with. */
export interface Given {
  readonly server: string;
  /** ISO 8601. */
  readonly now: string;
  readonly codes: readonly string[];
  /** Ids that the app makes begin so. */
  readonly idsFrom: string;
  /** What is stored on the device. */
  readonly items: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  /** To its calls, in their order. */
  readonly answers: readonly Answer[];
}

export type Step = { readonly choose: Readonly<Record<string, boolean>> } | { readonly identify: string };
export type Answer = 'no network' | { readonly status: number; readonly body: string };

/** What the app came to. */
export interface End {
  readonly asked: boolean;
  readonly asks: boolean;
  readonly language: string | undefined;
  readonly said: Readonly<Record<string, boolean>>;
  readonly allowed: readonly string[];
  readonly errors: readonly string[];
  readonly items: Readonly<Record<string, string>>;
}

/** A line of the app. */
export interface Printed {
  readonly call?: { readonly url: string; readonly init: RequestInit };
  readonly end?: End;
  readonly failed?: string;
}

export interface ReactNativeApp {
  /** Runs it until its end. Each call is answered by `answer`. */
  run(given: Omit<Given, 'answers'>, answer?: (call: Request) => Promise<Answer>): Promise<End>;
}

const APP = fileURLToPath(new URL('react-native-app.ts', import.meta.url));
const CONFIG = new URL('../../../../docs/examples/metro.config.js', import.meta.url);
const MOST_CALLS = 20;
const execute = promisify(execFile);

/** Builds react-native-app.ts by React Native's packager in a folder that `.ci/install-react-native` made, with the configuration of the docs. */
export async function buildReactNativeApp(folder: string): Promise<ReactNativeApp> {
  const built = join(folder, 'bundle.js');
  writeFileSync(join(folder, 'index.ts'), await readFile(APP));
  writeFileSync(join(folder, 'metro.config.js'), await documentedConfig());
  const flags = ['--out', built, '--platform', 'android', '--minify', 'false', '--reset-cache'];
  const metro = join(folder, 'node_modules/metro/src/cli.js');
  await execute(process.execPath, [metro, 'build', 'index.ts', ...flags], { cwd: folder });
  const code = await readFile(built, 'utf8');
  const engine = join(folder, 'node_modules/hermes-engine-cli', engineOf(process.platform));
  const script = join(folder, 'run.js');

  /** The lines of one start. */
  async function start(given: Given): Promise<readonly Printed[]> {
    writeFileSync(script, `globalThis.given = ${JSON.stringify(given)};\n${code}`);
    const { stdout } = await execute(engine, ['-w', '-Xes6-promise', script]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Printed);
  }

  return {
    /** What it does depends on nothing but what is given: at each call it is started again, with one answer more. */
    async run(given, answer = answerOf) {
      const answers: Answer[] = [];
      while (answers.length < MOST_CALLS) {
        const [first] = await start({ ...given, answers });
        if (first?.end !== undefined) return first.end;
        if (first?.call === undefined)
          throw new Error(`The app ended without an end: ${first?.failed ?? 'it said nothing'}.`);
        answers.push(await answer(new Request(first.call.url, first.call.init)));
      }
      throw new Error(`The app made ${MOST_CALLS} calls, and did not end.`);
    },
  };
}

/** What the server says. */
export async function answerOf(call: Request): Promise<Answer> {
  const answer = await fetch(call);
  return { status: answer.status, body: await answer.text() };
}

/** Of an app whose checkout lies elsewhere, and without React Native's own modules, which want a telephone. */
async function documentedConfig(): Promise<string> {
  const config = await readFile(CONFIG, 'utf8');
  const elsewhere = config.replace(
    "__dirname, '../habeas/packages/consent'",
    JSON.stringify(CONSENT_PACKAGE),
  );
  return `${elsewhere}module.exports.serializer.getModulesRunBeforeMainModule = () => [];\n`;
}

function engineOf(platform: NodeJS.Platform): string {
  if (platform === 'win32') return 'win64-bin/hermes.exe';
  return platform === 'darwin' ? 'osx-bin/hermes' : 'linux64-bin/hermes';
}
