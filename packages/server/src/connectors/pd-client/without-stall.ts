import { Code, ConnectError } from '@connectrpc/connect';

export interface StallOptions {
  /** Longest wait for one piece, in milliseconds. */
  readonly milliseconds: number;
  readonly signal: AbortSignal;
}

/**
 * The pieces of a stream, which is ended when the next one does not come in time: DEADLINE_EXCEEDED. However long the reader takes
 * over a piece is not counted.
 */
export async function* withoutStall<Piece>(
  open: (signal: AbortSignal) => AsyncIterable<Piece>,
  { milliseconds, signal }: StallOptions,
): AsyncGenerator<Piece, void> {
  const stalled = new AbortController();
  const pieces = open(AbortSignal.any([signal, stalled.signal]))[Symbol.asyncIterator]();
  const late = new ConnectError('nothing came', Code.DeadlineExceeded);
  try {
    for (;;) {
      const timer = setTimeout(() => stalled.abort(late), milliseconds);
      const next = await pieces.next().finally(() => clearTimeout(timer));
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    throw stalled.signal.aborted ? late : error;
  } finally {
    // A reader that leaves early ends the transfer.
    await pieces.return?.().catch(() => undefined);
  }
}
