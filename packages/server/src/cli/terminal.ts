/** Where a verb writes. Results go to `out`, everything about the way there to `note`, so that `--json` stays clean. */
export interface Terminal {
  /** Writes text to standard output; the caller ends its lines. */
  out(text: string): void;
  /** Writes text to standard output, and says when there is room for more. Rejects if the text could not be written. */
  pour(text: string): Promise<void>;
  /** Writes text to standard error. */
  note(text: string): void;
  /** Columns of the screen; 80 where there is none. */
  readonly width: number;
  /** Whether a person looks at it: frames may be drawn over each other. */
  readonly interactive: boolean;
  readonly color: boolean;
}

const DEFAULT_WIDTH = 80;
/** Wider lines are hard to read. */
const MAX_WIDTH = 100;

export interface ProcessTerminal extends Terminal {
  /** Whether somebody pours, and is told what goes wrong with standard output. */
  readonly isPouring: boolean;
}

/** The terminal of this process. Respects NO_COLOR (no-color.org) and FORCE_COLOR. */
export function processTerminal(
  process: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'> = globalThis.process,
): ProcessTerminal {
  const { stdout, stderr, env } = process;
  const interactive = stdout.isTTY === true && env.TERM !== 'dumb';
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0';
  const forbidden = env.NO_COLOR !== undefined && env.NO_COLOR !== '';
  let isPouring = false;
  return {
    out: (text) => {
      stdout.write(text);
    },
    pour(text) {
      isPouring = true;
      return new Promise((resolve, reject) => {
        stdout.write(text, (error) => {
          if (error != null) return reject(error);
          isPouring = false;
          resolve();
        });
      });
    },
    get isPouring() {
      return isPouring;
    },
    note: (text) => {
      stderr.write(text);
    },
    get width() {
      return Math.min(stdout.columns ?? DEFAULT_WIDTH, MAX_WIDTH);
    },
    interactive,
    color: !forbidden && (forced || interactive),
  };
}
