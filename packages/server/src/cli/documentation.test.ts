import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { NO_PARTS, SILENT_TERMINAL } from '../../test/run-habeas.ts';
import { EXIT_CODES } from './exit-code.ts';
import { createProgram } from './run-cli.ts';

const text = readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8');
const program = createProgram({ terminal: SILENT_TERMINAL, parts: NO_PARTS }, async () => undefined);

interface Entry {
  /** `habeas request access`. */
  readonly name: string;
  readonly command: Command;
}

function leavesOf(command: Command, prefix: string): readonly Entry[] {
  const name = `${prefix} ${command.name()}`.trim();
  return command.commands.length === 0
    ? [{ name, command }]
    : command.commands.flatMap((child) => leavesOf(child, name));
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
