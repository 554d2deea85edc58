import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { markOf, placeOf, readPage, type Snippet } from './pages.ts';

/** Where shells run. */
export interface Stage {
  readonly folder: string;
  environment(): NodeJS.ProcessEnv;
}

/** What a shell snippet brought. */
export interface Ran {
  readonly out: string;
  readonly notes: string;
  readonly exit: number;
}

export interface RunOptions {
  /** Text of the page → what stands for it here. Each must occur. */
  readonly instead?: Readonly<Record<string, string>>;
  /** Variables of the snippet. */
  readonly given?: Readonly<Record<string, string>>;
  /** One more line, to look at what the snippet did. */
  readonly lastly?: string;
}

/** The marked snippets of one page. */
export interface Story {
  /** The next snippet with this mark. */
  next(story: string): Snippet;
  /** Runs the next shell snippet with this mark to its end; throws with all that it printed when it ends in another way. */
  run(story: string, options?: RunOptions): Promise<Ran>;
  /** Places of marked snippets that were not asked for. */
  left(): readonly string[];
}

export function tellStory(path: string, stage: Stage): Story {
  const queue = readPage(path).snippets.filter((snippet) => markOf(snippet, 'run') !== undefined);
  const next = (story: string): Snippet => {
    const [snippet] = queue;
    if (snippet === undefined || markOf(snippet, 'run') !== story) {
      const found =
        snippet === undefined ? 'the page ends' : `${placeOf(snippet)} is "${markOf(snippet, 'run')}"`;
      throw new Error(`The story goes on with "${story}", but ${found}.`);
    }
    queue.shift();
    return snippet;
  };
  return {
    next,
    left: () => queue.map(placeOf),
    async run(story, options = {}) {
      const snippet = next(story);
      let script = snippet.text;
      for (const [from, to] of Object.entries(options.instead ?? {})) {
        if (!script.includes(from)) throw new Error(`${placeOf(snippet)} does not have "${from}".`);
        script = script.replaceAll(from, to);
      }
      const ran = await runShell(`${script}\n${options.lastly ?? ''}`, stage, options.given ?? {});
      if (ran.exit !== 0) {
        throw new Error(
          `${placeOf(snippet)} ended with ${ran.exit}:\n${script}\n---\n${ran.out}${ran.notes}`,
        );
      }
      return ran;
    },
  };
}

/** Ends with the first command that fails. */
export async function runShell(
  script: string,
  stage: Stage,
  given: Readonly<Record<string, string>>,
): Promise<Ran> {
  const shell = spawn('sh', ['-eu', '-c', script], {
    cwd: stage.folder,
    env: { ...stage.environment(), ...given },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number | null>((resolve) => shell.once('close', resolve));
  const [out, notes] = await Promise.all([text(shell.stdout), text(shell.stderr)]);
  return { out, notes, exit: (await closed) ?? -1 };
}
