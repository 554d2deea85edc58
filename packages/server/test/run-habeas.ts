import { type CliParts, type RunCliOptions, runCli, type Terminal } from '../src/cli/index.ts';

export interface RunHabeasOptions {
  readonly url?: string;
  readonly key?: string;
  /** (Default: 80) */
  readonly width?: number;
  /** Whether a person looks at the screen. (Default: false) */
  readonly interactive?: boolean;
  readonly color?: boolean;
  readonly folder?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly signal?: AbortSignal;
  readonly parts?: CliParts;
  /** Told what is written to standard output, as it is written. */
  readonly onOut?: (text: string) => void;
}

export interface HabeasResult {
  readonly exit: number;
  /** Standard output. */
  readonly out: string;
  /** Standard error. */
  readonly notes: string;
  /** Standard output, parsed. */
  json(): unknown;
}

/** A terminal that nobody looks at. */
export const SILENT_TERMINAL: Terminal = {
  out: () => undefined,
  pour: async () => undefined,
  note: () => undefined,
  width: 80,
  interactive: false,
  color: false,
};

/** A composition root that has nothing. */
export const NO_PARTS: CliParts = {
  version: '0.0.0-test',
  openState: async () => {
    throw new Error('This test has no state.');
  },
  migrations: async () => ({}),
};

/** Runs one command of the command line in this process and catches what it prints. */
export async function runHabeas(
  argv: readonly string[],
  options: RunHabeasOptions = {},
): Promise<HabeasResult> {
  let out = '';
  let notes = '';
  const write = (text: string) => {
    out += text;
    options.onOut?.(text);
  };
  const run: RunCliOptions = {
    argv,
    terminal: {
      out: write,
      pour: async (text) => write(text),
      note: (text) => {
        notes += text;
      },
      width: options.width ?? 80,
      interactive: options.interactive ?? false,
      color: options.color ?? false,
    },
    environment: {
      ...options.environment,
      ...(options.url === undefined ? {} : { HABEAS_URL: options.url }),
      ...(options.key === undefined ? {} : { HABEAS_API_KEY: options.key }),
    },
    folder: options.folder ?? '/nowhere',
    parts: options.parts ?? NO_PARTS,
    signal: options.signal ?? new AbortController().signal,
    readInput: async () => options.input ?? '',
  };
  const exit = await runCli(run);
  return { exit, out, notes, json: () => JSON.parse(out) };
}
