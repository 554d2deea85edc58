import { HabeasError } from './errors.ts';
import type { Logger } from './logging.ts';

/** Something that runs and has to be ended. */
export interface ClosablePart {
  /** Names it in the log: `requests`. */
  readonly name: string;
  readonly close: () => Promise<unknown> | undefined;
}

export interface CloseAllOptions {
  readonly logger?: Logger | undefined;
  /** How long all of them may take together. A part that hangs is left behind, and the next ones still get their turn. */
  readonly withinMilliseconds: number;
}

/** What each part gets although those before it used up the time: enough to give its connections back. */
const LAST_MILLISECONDS = 1_000;

/**
 * Ends all parts, one after the other in their order, whatever the others do. What went wrong is logged as it happens, and after
 * the last one it is thrown: INTERNAL with the names of the parts.
 */
export async function closeAll(parts: readonly ClosablePart[], options: CloseAllOptions): Promise<void> {
  const { logger, withinMilliseconds } = options;
  const started = performance.now();
  const failed: { readonly name: string; readonly reason: unknown }[] = [];
  for (const { name, close } of parts) {
    const left = withinMilliseconds - (performance.now() - started);
    try {
      await within(Math.max(left, Math.min(LAST_MILLISECONDS, withinMilliseconds)), close);
    } catch (reason) {
      logger?.error({ err: reason, part: name }, 'a part did not end well');
      failed.push({ name, reason });
    }
  }
  if (failed.length === 0) return;
  throw new HabeasError(
    'INTERNAL',
    `These parts did not end well: ${failed.map(({ name }) => name).join(', ')}. Nothing that was acknowledged is lost; the next start goes on with it.`,
    {
      cause: failed.length === 1 ? failed[0]?.reason : new AggregateError(failed.map(({ reason }) => reason)),
    },
  );
}

async function within(milliseconds: number, close: ClosablePart['close']): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new HabeasError('INTERNAL', `It did not end within ${Math.round(milliseconds)} ms.`)),
    milliseconds,
  );
  try {
    await Promise.race([close(), late]);
  } finally {
    clearTimeout(timer);
  }
}
