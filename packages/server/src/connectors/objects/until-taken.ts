import { type HttpReply, pause } from '../../foundation/index.ts';

const TRIES = 5;
const FIRST_PAUSE_MILLISECONDS = 200;

/** Sends a call until the store is not too busy for it, five times at most; each pause is twice as long as the one before. */
export async function untilTaken(
  send: () => Promise<HttpReply>,
  isBusy: (reply: HttpReply) => boolean,
  signal: AbortSignal,
): Promise<HttpReply> {
  for (let turn = 1; ; turn += 1) {
    signal.throwIfAborted();
    const reply = await send();
    if (turn === TRIES || !isBusy(reply)) return reply;
    await pause(FIRST_PAUSE_MILLISECONDS * 2 ** (turn - 1), signal);
  }
}
