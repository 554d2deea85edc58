import { type Logger, pause } from '../../foundation/index.ts';
import type { Verification } from './verification.ts';

const PAUSE_MILLISECONDS = 1_000;

/** Looks after proofs, now and then, until it is stopped. Safe to run in every process at once. */
export function keepVerifying(options: {
  readonly verification: Pick<Verification, 'sweep' | 'postQuestions'>;
  readonly logger: Logger;
  /** (Default: 1 second) */
  readonly pauseMilliseconds?: number | undefined;
}): { stop(): Promise<void> } {
  const { verification, logger, pauseMilliseconds = PAUSE_MILLISECONDS } = options;
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
  const running = Promise.all([keep(verification.sweep), keep(verification.postQuestions)]);
  return {
    async stop() {
      closing.abort();
      await running;
    },
  };
}
