import { setFlagsFromString } from 'node:v8';

/*
 * On a machine with much memory V8 lets garbage grow to several times what is in use before it looks for it. A server that
 * streams has little in use, so it is told to let it grow by a tenth only (`npm run bench collect-memory`). Large answers
 * would wait while it is looked for again and again (`map-answers`): while such are asked for, it may grow further.
 * V8 reads the setting whenever it has looked through the whole heap.
 */

/**
 * `growth`: percent of what is in use, by which the heap may grow before garbage is looked for. `young`: by which factor the room
 * for what was just made may grow, so that what one answer needs is gone before it counts as old.
 */
const USUAL = { growth: 10, young: 1 };
const ASKED = { growth: 60, young: 2 };

/** After the last large answer, in milliseconds. */
const ROOM_MS = 30_000;

use(USUAL);

let end: NodeJS.Timeout | undefined;

/** Lets the heap of this process grow further until half a minute after the last call. To be called before each large answer. */
export function giveHeapRoom(): void {
  if (end) {
    end.refresh();
    return;
  }
  use(ASKED);
  end = setTimeout(() => {
    end = undefined;
    use(USUAL);
  }, ROOM_MS).unref();
}

/** Ends that at once, where the answers were asked for by nobody, as when a server tries them before it takes calls. */
export function endHeapRoom(): void {
  clearTimeout(end);
  end = undefined;
  use(USUAL);
}

function use({ growth, young }: typeof USUAL): void {
  setFlagsFromString(`--heap-growing-percent=${growth}`);
  setFlagsFromString(`--semi-space-growth-factor=${young}`);
}
