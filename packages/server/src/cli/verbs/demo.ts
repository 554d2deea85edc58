import type { Command } from 'commander';
import type { DemoOptions } from '../actions/demo.ts';
import { portNumber, positiveNumber } from '../option-values.ts';
import type { Run } from '../verb.ts';

const DEFAULT_PEOPLE = 2_000;
const DEFAULT_PORT = 7_311;

/** `habeas demo`: a small company, one person, and everything that Habeas does, on real services and stores. */
export function demoVerb(program: Command, run: Run): void {
  program
    .command('demo')
    .description('show everything on a small company of real services: map, access, erasure, proof')
    .option('--people <n>', 'how many people the company has', positiveNumber, DEFAULT_PEOPLE)
    .option('--port <port>', 'first port to try', portNumber, DEFAULT_PORT)
    .option('--exit', 'end after the story: with 0 only if every check held')
    .option('--json', 'print JSON for programs')
    .action((options: DemoOptions) =>
      run(async (context) => (await import('../actions/demo.ts')).demo(context, options)),
    );
}
