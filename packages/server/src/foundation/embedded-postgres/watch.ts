/** A running watch over a server. */
export interface Watch {
  /** Ends it; resolves when a restart that is under way is done. */
  end(): Promise<void>;
}

const WATCH_MILLISECONDS = 500;
/** A server that ends this often in a row will not be better the next time. */
const MOST_RESTARTS = 5;
/** A server that lived this long is not counted as ending in a row. */
const HEALTHY_MILLISECONDS = 60_000;

/** Looks after a server in short intervals, and brings it back when it is gone. Does not keep the process alive. */
export function watch(options: {
  readonly isAlive: () => boolean;
  readonly bringBack: () => Promise<void>;
  /** Called once, with the reason, when the server cannot be brought back; the watch has ended then. */
  readonly onGiveUp: (error: Error) => void;
}): Watch {
  let busy: Promise<void> | undefined;
  let restarts: readonly number[] = [];
  const giveUp = (reason: unknown) => {
    clearInterval(timer);
    options.onGiveUp(reason instanceof Error ? reason : new Error(String(reason)));
  };
  const look = () => {
    if (busy !== undefined || options.isAlive()) return;
    const now = performance.now();
    restarts = [...restarts.filter((time) => now - time < HEALTHY_MILLISECONDS), now];
    if (restarts.length > MOST_RESTARTS) {
      giveUp(new Error(`it ended ${MOST_RESTARTS} times within a minute`));
      return;
    }
    busy = options
      .bringBack()
      .catch(giveUp)
      .finally(() => {
        busy = undefined;
      });
  };
  const timer = setInterval(look, WATCH_MILLISECONDS);
  timer.unref();
  return {
    end: async () => {
      clearInterval(timer);
      await busy;
    },
  };
}
