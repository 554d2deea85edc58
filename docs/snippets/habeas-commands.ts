import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { createProgram } from '../../packages/server/src/cli/run-cli.ts';
import { cliParts } from '../../packages/server/src/main.ts';
import { type Page, proseLines, ROOT } from './pages.ts';
import { readCommands, type ShellCommand } from './shell.ts';

/** The arguments of `habeas …` or `npx habeas …`; undefined for any other command. */
export function habeasArguments({ words }: ShellCommand): readonly string[] | undefined {
  if (words[0] === 'habeas') return words.slice(1);
  if (words[0] === 'npx' && words[1] === 'habeas') return words.slice(2);
  return undefined;
}

/** What the real program says against the arguments; undefined if it takes them. Nothing is run. */
export async function refusalOf(argv: readonly string[]): Promise<string | undefined> {
  let said = '';
  const terminal = {
    out: () => undefined,
    pour: async () => undefined,
    note: (text: string) => {
      said += text;
    },
    width: 80,
    interactive: false,
    color: false,
  };
  const program = createProgram({ terminal, parts: cliParts }, async () => undefined);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? undefined : said.trim();
  }
}

/** Whether `npm …` names a script that the project has. */
export function unknownScript({ words }: ShellCommand): string | undefined {
  if (words[0] !== 'npm') return undefined;
  const name = words[1] === 'run' ? words[2] : words[1];
  if (name === undefined || ['install', 'i', 'ci', '--version'].includes(name)) return undefined;
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return name in scripts ? undefined : name;
}

/** `habeas …` commands that prose names in backticks, with their lines. Placeholders such as `…` are left out. */
export function inlineCommands(
  page: Page,
): readonly { readonly line: number; readonly argv: readonly string[] }[] {
  return proseLines(page).flatMap(({ line, text }) =>
    [...text.matchAll(/`((?:npx )?habeas [^`<]+)`/g)].flatMap(([, code = '']) =>
      readCommands(code.replaceAll('…', ''), line).flatMap((command) => {
        const argv = habeasArguments(command);
        return argv === undefined ? [] : [{ line, argv }];
      }),
    ),
  );
}

/** Whether the program would have taken the command with more arguments or options: prose names no values. */
export function isOnlyIncomplete(refusal: string): boolean {
  return /required option|missing required argument|argument missing/.test(refusal);
}
