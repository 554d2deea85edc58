import { type Logger, pause } from '../../foundation/index.ts';
import type { Verification } from './verification.ts';

const PAUSE_MILLISECONDS = 1_000;

/** Looks after proofs, now and then, until it is stopped. Safe to run in every process at once. */
export function keepVerifying(options: {
  /** Goes on with what was proved, and ends what was not in time: also where nobody can ask any more. */
  readonly sweep: () => Promise<void>;
  readonly verification: Pick<Verification, 'postQuestions'> | undefined;
  readonly logger: Logger;
  /** (Default: 1 second) */
  readonly pauseMilliseconds?: number | undefined;
}): { stop(): Promise<void> } {
  const { sweep, verification, logger, pauseMilliseconds = PAUSE_MILLISECONDS } = options;
  const closing = new AbortController();
  const keep = async (work: () => Promise<void>): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await work();
      } catch (error) {
        logger.warn({ err: error }, 'proofs of people could not be looked after; trying again');
      }
      await pause(pauseMilliseconds, closing.signal);
    }
  };
  // A back end that does not answer holds up nothing else.
  const running = Promise.all([
    keep(sweep),
    ...(verification === undefined ? [] : [keep(verification.postQuestions)]),
  ]);
  return {
    async stop() {
      closing.abort();
      await running;
    },
  };
}
