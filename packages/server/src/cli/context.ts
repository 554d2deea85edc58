import type { Command } from 'commander';
import { HabeasError } from '../foundation/errors.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import type { CliParts } from './cli-parts.ts';
import { type Paint, paintFor } from './render/paint.ts';
import type { Terminal } from './terminal.ts';

export const DEFAULT_URL = 'http://127.0.0.1:7311';

/** What every verb works with. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
  /** Where relative paths start. */
  readonly folder: string;
  readonly parts: CliParts;
  readonly paint: Paint;
  /** Aborted by Ctrl+C. */
  readonly signal: AbortSignal;
  /** Text that is piped in. */
  readonly readInput: () => Promise<string>;
}

export function createContext(options: Omit<CliContext, 'paint'>): CliContext {
  return { ...options, paint: paintFor(options.terminal.color) };
}

/** Options of every verb that talks to a running server. */
export interface ServerOptions {
  readonly url?: string;
  readonly key?: string;
  readonly json?: true;
}

export function withServerOptions(command: Command): Command {
  return command
    .option('--url <url>', `address of the server (default: HABEAS_URL, or ${DEFAULT_URL})`)
    .option('--key <key>', 'API key; better set HABEAS_API_KEY, which other users cannot see')
    .option('--json', 'print JSON for programs');
}

/** Options of every verb that works on the configuration. */
export interface ConfigOptions {
  readonly config?: string;
  readonly json?: true;
}

export function withConfigOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: habeas.yaml)')
    .option('--json', 'print JSON for programs');
}

/** The client of the server that the options or the environment name. */
export function clientFor(context: CliContext, options: ServerOptions): ApiClient {
  const url = options.url ?? nonEmpty(context.environment.HABEAS_URL) ?? DEFAULT_URL;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new HabeasError('BAD_INPUT', 'The address of the server must be like http://127.0.0.1:7311.');
  }
  const key = options.key ?? nonEmpty(context.environment.HABEAS_API_KEY);
  return createApiClient({ url, key, signal: context.signal });
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** Prints one value for programs, or lines for people. */
export function print(
  context: CliContext,
  options: { readonly json?: true },
  result: { readonly json: unknown; readonly lines: () => readonly string[] },
): void {
  context.terminal.out(
    options.json === true ? `${JSON.stringify(result.json, null, 2)}\n` : `${result.lines().join('\n')}\n`,
  );
}
