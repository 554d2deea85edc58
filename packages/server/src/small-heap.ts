import { setFlagsFromString } from 'node:v8';

/*
 * On a machine with much memory V8 lets garbage grow to several times what is in use before it looks for it. A server that
 * streams has little in use, so it is told to let it grow by a tenth only (`npm run bench collect-memory`). Large answers
 * would wait while it is looked for again and again (`map-answers`), and so would a person's million rows: for these it may grow further.
 * V8 reads the setting whenever it has looked through the whole heap.
 */

/**
 * `growth`: percent of what is in use, by which the heap may grow before garbage is looked for. `young`: by which factor the room
 * for what was just made may grow, so that what one answer needs is gone before it counts as old.
 */
const USUAL = { growth: 10, young: 1 };
const ROOMS = { stream: { growth: 40, young: 1 }, answer: { growth: 120, young: 2 } };

/** After the last call, in milliseconds. */
const ROOM_MS = 30_000;

/** What the heap has room for, each until its timer ends. */
const given = new Map<keyof typeof ROOMS, NodeJS.Timeout>();

useLargest();

/**
 * Lets the heap of this process grow further until half a minute after the last call. To be called before each large answer, and again and
 * again while very much is streamed.
 */
export function giveHeapRoom(room: keyof typeof ROOMS): void {
  const timer = given.get(room);
  if (timer !== undefined) {
    timer.refresh();
    return;
  }
  const end = () => {
    given.delete(room);
    useLargest();
  };
  given.set(room, setTimeout(end, ROOM_MS).unref());
  useLargest();
}

/** Ends that at once, where the answers were asked for by nobody, as when a server tries them before it takes calls. */
export function endHeapRoom(): void {
  for (const timer of given.values()) clearTimeout(timer);
  given.clear();
  useLargest();
}

function useLargest(): void {
  if (given.has('answer')) use(ROOMS.answer);
  else use(given.has('stream') ? ROOMS.stream : USUAL);
}

function use({ growth, young }: typeof USUAL): void {
  setFlagsFromString(`--heap-growing-percent=${growth}`);
  setFlagsFromString(`--semi-space-growth-factor=${young}`);
}
