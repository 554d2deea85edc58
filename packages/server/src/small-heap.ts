import { setFlagsFromString } from 'node:v8';

/*
 * On a machine with much memory V8 lets garbage grow to several times what is in use before it looks for it. A server that
 * streams has little in use, so it is told to let it grow by a tenth only (`npm run bench collect-memory`). Large answers
 * would wait while it is looked for again and again (`map-answers`): while such are asked for, it may grow further.
 * V8 reads the setting whenever it has looked through the whole heap.
 */

/** Percent of what is in use, by which the heap may grow before garbage is looked for. */
const GROWTH = { usual: 10, asked: 60 };

/** After the last large answer, in milliseconds. */
const ROOM_MS = 30_000;

setFlagsFromString(`--heap-growing-percent=${GROWTH.usual}`);
setFlagsFromString('--semi-space-growth-factor=1');

let end: NodeJS.Timeout | undefined;

/** Lets the heap of this process grow further until half a minute after the last call. To be called before each large answer. */
export function giveHeapRoom(): void {
  if (end) {
    end.refresh();
    return;
  }
  setFlagsFromString(`--heap-growing-percent=${GROWTH.asked}`);
  end = setTimeout(() => {
    end = undefined;
    setFlagsFromString(`--heap-growing-percent=${GROWTH.usual}`);
  }, ROOM_MS).unref();
}
