import { inspect } from 'node:util';
import { Command, CommanderError } from 'commander';
import { HabeasError } from '../foundation/errors.ts';
import type { CliParts } from './cli-parts.ts';
import { createContext } from './context.ts';
import { EXIT_CODES, type ExitName, exitNameOf } from './exit-code.ts';
import { renderError } from './render/error.ts';
import type { Terminal } from './terminal.ts';
import type { Run, Verb } from './verb.ts';
import { auditVerb } from './verbs/audit.ts';
import { checkVerb } from './verbs/check.ts';
import { clientsVerb } from './verbs/clients.ts';
import { connectorVerb } from './verbs/connector.ts';
import { consentVerb } from './verbs/consent.ts';
import { demoVerb } from './verbs/demo.ts';
import { doctorVerb } from './verbs/doctor.ts';
import { holdVerb } from './verbs/hold.ts';
import { initVerb } from './verbs/init.ts';
import { jobVerb } from './verbs/job.ts';
import { keysVerb } from './verbs/keys.ts';
import { mapVerb } from './verbs/map.ts';
import { membersVerb } from './verbs/members.ts';
import { notifyVerb } from './verbs/notify.ts';
import { packageVerb } from './verbs/package.ts';
import { partnersVerb } from './verbs/partners.ts';
import { pauseVerbs } from './verbs/pause.ts';
import { planVerb } from './verbs/plan.ts';
import { policyVerb } from './verbs/policy.ts';
import { requestVerb } from './verbs/request.ts';
import { serveVerb } from './verbs/serve.ts';
import { straysVerb } from './verbs/strays.ts';
import { ticketsVerb } from './verbs/tickets.ts';
import { verifyVerb } from './verbs/verify.ts';
import { webhooksVerb } from './verbs/webhooks.ts';

export interface RunCliOptions {
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
  /** Where relative paths start. */
  readonly folder: string;
  readonly parts: CliParts;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** Text that is piped in. */
  readonly readInput: () => Promise<string>;
}

const VERBS: readonly Verb[] = [
  demoVerb,
  serveVerb,
  initVerb,
  checkVerb,
  doctorVerb,
  straysVerb,
  mapVerb,
  planVerb,
  policyVerb,
  requestVerb,
  packageVerb,
  holdVerb,
  ticketsVerb,
  pauseVerbs,
  clientsVerb,
  connectorVerb,
  consentVerb,
  jobVerb,
  keysVerb,
  membersVerb,
  partnersVerb,
  notifyVerb,
  webhooksVerb,
  auditVerb,
  verifyVerb,
];

/** Runs one command. Gives the exit code of the process (docs/cli.md); never throws. */
export async function runCli(options: RunCliOptions): Promise<number> {
  const context = createContext(options);
  const { terminal, paint, signal } = context;
  let exit: ExitName = 'done';
  const program = createProgram(options, async (action) => {
    exit = await action(context);
  });
  try {
    await program.parseAsync([...options.argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? EXIT_CODES.done.code : EXIT_CODES.usage.code;
    if (signal.aborted) return EXIT_CODES.interrupted.code;
    const known = error instanceof HabeasError ? error : unexpected(error);
    terminal.note(`${renderError(known, paint).join('\n')}\n`);
    if (known.code === 'INTERNAL') terminal.note(`${explanation(error, context.environment).join('\n')}\n`);
    return EXIT_CODES[exitNameOf(known)].code;
  }
  return EXIT_CODES[exit].code;
}

function unexpected(cause: unknown): HabeasError {
  return new HabeasError('INTERNAL', 'The command failed in a way that nobody expected.', { cause });
}

/** Where the cause of an INTERNAL error is to be found. Nobody has a log of this process, so it is shown here, when asked for. */
function explanation(error: unknown, environment: NodeJS.ProcessEnv): readonly string[] {
  if (environment.HABEAS_DEBUG !== undefined && environment.HABEAS_DEBUG !== '') return [inspect(error)];
  return [
    '  The same command with HABEAS_DEBUG=1 shows what this process knows of the cause.',
    '  What a server knows is in its log: the standard error of `habeas serve` (docs/operate.md).',
  ];
}

/** The program with all verbs; also what docs/cli.md is compared with. */
export function createProgram(options: Pick<RunCliOptions, 'terminal' | 'parts'>, run: Run): Command {
  const { terminal, parts } = options;
  const program = new Command('habeas')
    .description('The control plane for personal data: find it, hand it over, erase it, prove it.')
    .version(parts.version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', exitCodeHelp())
    // Options belong to the command that they stand behind, because `habeas map` and `habeas map export` share some.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.note,
      getOutHelpWidth: () => terminal.width,
      getErrHelpWidth: () => terminal.width,
      getOutHasColors: () => terminal.color,
      getErrHasColors: () => terminal.color,
    })
    .showHelpAfterError('(`habeas --help` lists the commands)');
  for (const verb of VERBS) verb(program, run);
  return program;
}

function exitCodeHelp(): string {
  const lines = Object.values(EXIT_CODES).map(
    ({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`,
  );
  return `\nExit codes:\n${lines.join('\n')}\n`;
}
