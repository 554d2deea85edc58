import { readdirSync, readFileSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { NO_PARTS, SILENT_TERMINAL } from '../../test/run-habeas.ts';
import { EXIT_CODES } from './exit-code.ts';
import { createProgram } from './run-cli.ts';

const text = readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8');
const root = new URL('../../../../', import.meta.url);
const program = createProgram({ terminal: SILENT_TERMINAL, parts: NO_PARTS }, async () => undefined);

interface Entry {
  /** `habeas request access`. */
  readonly name: string;
  readonly command: Command;
}

function leavesOf(command: Command, prefix: string): readonly Entry[] {
  const name = `${prefix} ${command.name()}`.trim();
  // A command with options of its own can be run, also where there are commands below it.
  const isRun = command.commands.length === 0 || (prefix !== '' && command.options.length > 0);
  return [
    ...(isRun ? [{ name, command }] : []),
    ...command.commands.flatMap((child) => leavesOf(child, name)),
  ];
}

const commands = leavesOf(program, '');
/** Command → its section. */
const sections = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((section) => [
      section.slice(0, section.indexOf('\n')).replaceAll('`', ''),
      section.split(/^## /m)[0] ?? '',
    ]),
);

describe('docs/cli.md', () => {
  it('has a section for every command, and for none that does not exist', () => {
    expect([...sections.keys()]).toEqual(commands.map(({ name }) => name));
  });

  it('names every option and argument of each command, and none that it does not have', () => {
    for (const { name, command } of commands) {
      const section = sections.get(name) ?? '';
      const options = command.options.map((option) => option.long).filter((long) => long !== undefined);
      const common = ['--json', '--url', '--key', '--config'];
      for (const long of options.filter((option) => !common.includes(option))) {
        expect([name, section]).toEqual([name, expect.stringContaining(long)]);
      }
      const mentioned = [...section.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([long]) => long);
      for (const long of mentioned) expect([name, options]).toEqual([name, expect.arrayContaining([long])]);
      for (const argument of command.registeredArguments) {
        expect([name, section]).toEqual([name, expect.stringContaining(argument.name())]);
      }
    }
  });

  it('lists exactly the exit codes', () => {
    const rows = [...text.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => [
      Number(code),
      meaning,
    ]);
    expect(rows).toEqual(Object.values(EXIT_CODES).map(({ code, meaning }) => [code, meaning]));
  });

  it('has --json for every command', () => {
    for (const { name, command } of commands) {
      expect([name, command.options.map((option) => option.long)]).toEqual([
        name,
        expect.arrayContaining(['--json']),
      ]);
    }
  });
});

interface ShownCommand {
  readonly file: string;
  readonly words: readonly string[];
  /** In running text a command is often named without all that it needs. */
  readonly isInText: boolean;
}

/** Every command line that README, docs and examples show. */
function shownCommands(): readonly ShownCommand[] {
  const docs = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'));
  const files = ['README.md', 'examples/acme/README.md', ...docs.map((name) => `docs/${name}`)];
  return files.flatMap((file) => {
    const page = readFileSync(new URL(file, root), 'utf8').replaceAll(/\\\n\s*/g, ' ');
    const blocks = [...page.matchAll(/^```(?:sh|bash|console)\n(.*?)^```/gms)].map(([, block = '']) => block);
    const texts = [...page.matchAll(/`((?:npx )?habeas [^`\n]+)`/g)].map(([, line = '']) => line);
    return [
      ...blocks.flatMap((block) => block.split('\n')).flatMap((line) => shown(file, line, false)),
      ...texts.flatMap((line) => shown(file, line, true)),
    ];
  });
}

function shown(file: string, line: string, isInText: boolean): readonly ShownCommand[] {
  const command = /(?:^|[\s(])(?:npx )?habeas (.*)$/.exec(line.trim())?.[1];
  return command === undefined || line.trim().startsWith('#')
    ? []
    : [{ file, words: wordsOf(command), isInText }];
}

/** Splits as a shell does, as far as these pages need it: quotes, and an end at a comment, a pipe or a bracket. */
function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  for (const [, double, single, plain = ''] of line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)) {
    const quoted = double ?? single;
    if (quoted === undefined && /^(#|\||>|<|&|;)/.test(plain)) break;
    words.push(quoted ?? plain.replace(/[);]+$/, ''));
    if (quoted === undefined && /[);]$/.test(plain)) break;
  }
  return words;
}

describe('a command that a page shows', () => {
  it('is one that the program takes', async () => {
    const commandsShown = shownCommands();
    expect(commandsShown.filter(({ isInText }) => !isInText).length).toBeGreaterThan(10);
    const refused: string[] = [];
    for (const { file, words, isInText } of commandsShown) {
      const fresh = createProgram({ terminal: SILENT_TERMINAL, parts: NO_PARTS }, async () => undefined);
      try {
        await fresh.parseAsync([...words], { from: 'user' });
      } catch (error) {
        const code = error instanceof CommanderError ? error.code : String(error);
        if (code === 'commander.helpDisplayed' || (isInText && /missing|invalid|help/i.test(code))) continue;
        refused.push(`${file}: habeas ${words.join(' ')} (${code})`);
      }
    }
    expect(refused).toEqual([]);
  });
});

/** Every command that a text of the programs tells a person to type, by its file. */
function toldCommands(): readonly { readonly file: string; readonly line: string }[] {
  const folders = ['packages/server/src', 'packages/sdk/src', 'examples/acme'];
  return folders.flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((name) => /(?<!\.test)\.ts$/.test(name) && !name.includes('node_modules'))
      .flatMap((name) => {
        const file = `${folder}/${name}`;
        const source = readFileSync(new URL(file, root), 'utf8').replaceAll('\\`', '`');
        return [...source.matchAll(/(?:`|: |npx )habeas ([a-z-][^`'"\n]*)/g)].map(([, line = '']) => ({
          file,
          line,
        }));
      }),
  );
}

/** Pages tell a person what to type too; in running text, and without all that a command needs. */
function pageCommands(): readonly { readonly file: string; readonly line: string }[] {
  const docs = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'));
  return [
    'README.md',
    'packages/sdk/README.md',
    'examples/acme/README.md',
    ...docs.map((name) => `docs/${name}`),
  ].flatMap((file) =>
    [...readFileSync(new URL(file, root), 'utf8').matchAll(/(?:^ +|`)(?:npx )?habeas ([a-z-][^`\n]*)/gm)].map(
      ([, line = '']) => ({ file, line }),
    ),
  );
}

/** What is wrong with a command line, whose values may be missing; undefined: nothing. */
function wrongWith(line: string): string | undefined {
  let command: Command = program;
  const words = line.replaceAll(/[.,;:)\\]+(?=\s|$)/g, '').split(/\s+/);
  while (words[0] !== undefined && command.commands.length > 0 && !words[0].startsWith('-')) {
    const parent: Command = command;
    // A comment may name several at once: list|show.
    for (const word of words.shift()?.split('|') ?? []) {
      const child = parent.commands.find((candidate) => candidate.name() === word);
      if (child === undefined) return `"${parent.name()}" has no command "${word}"`;
      command = child;
    }
  }
  const known = [...command.options.map(({ long }) => long), '--help', '--version'];
  const unknown = words.find((word) => word.startsWith('--') && !known.includes(word));
  return unknown === undefined ? undefined : `"${command.name()}" has no option ${unknown}`;
}

describe('a command that a text tells to type', () => {
  it('exists under that name, with these options', () => {
    const told = [...toldCommands(), ...pageCommands()];
    expect(told.length).toBeGreaterThan(60);
    const wrong = told.flatMap(({ file, line }) => {
      const problem = wrongWith(line);
      return problem === undefined ? [] : [`${file}: habeas ${line}: ${problem}`];
    });
    expect(wrong).toEqual([]);
  });
});
