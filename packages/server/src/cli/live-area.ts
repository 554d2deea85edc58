import type { Terminal } from './terminal.ts';

/** Lines at the end of the screen that are drawn again in place. */
export interface LiveArea {
  /** Draws these lines over the ones before. */
  draw(lines: readonly string[]): void;
  /** Leaves the last lines where they are; what is written next comes below. */
  finish(): void;
}

const CURSOR_UP = (lines: number) => (lines === 0 ? '' : `\u001b[${lines}A`);
const CLEAR_LINE = '\u001b[2K';
const CLEAR_BELOW = '\u001b[J';

/** Draws to standard output. Only for a terminal that a person looks at. Lines must fit its width. */
export function liveArea(terminal: Pick<Terminal, 'out'>): LiveArea {
  let height = 0;
  return {
    draw(lines) {
      terminal.out(
        `${CURSOR_UP(height)}\r${lines.map((line) => `${CLEAR_LINE}${line}\n`).join('')}${CLEAR_BELOW}`,
      );
      height = lines.length;
    },
    finish() {
      height = 0;
    },
  };
}
