import { setTimeout as sleep } from 'node:timers/promises';
import { askVersion } from './contents.ts';
import { findRunningServer, type RunningServer } from './pid-file.ts';
import { killServer, type ServerOptions, stopServer, waitWhileStarting } from './server.ts';

/** How long a server may refuse us with an answer (it is starting, ending or full) before it counts as broken. */
const REFUSAL_MILLISECONDS = 60_000;
/** A server that others use may only be slow; it is asked more often before it is ended. */
const SILENCES_WHILE_USED = 4;
const PAUSE_MILLISECONDS = 200;

/**
 * The server that runs on our data directory already, if it is fit for use: it was started by another process, or left
 * behind by one that was killed. One that does not answer is ended; so is one whose programs were replaced on the disk or
 * have another version, unless other processes use it. Called by the holder of the lock.
 */
export async function adoptServer(
  options: ServerOptions & {
    /** How many other processes use the server. */
    readonly others: number;
  },
): Promise<RunningServer | undefined> {
  const { place, transport, binaries, onProgress } = options;
  let silences = 0;
  for (let refused = 0; ; refused += PAUSE_MILLISECONDS) {
    const found = findRunningServer(place.data);
    const server = found === undefined ? undefined : await waitWhileStarting(found, options);
    if (server === undefined) return undefined;
    const answer = await askVersion({ place, transport, server });
    if (answer === 'silent') silences += 1;
    const patient =
      answer === 'refused'
        ? refused < REFUSAL_MILLISECONDS
        : options.others > 0 && silences < SILENCES_WHILE_USED;
    if (typeof answer === 'string' && patient) {
      await sleep(PAUSE_MILLISECONDS);
      continue;
    }
    if (typeof answer === 'string') {
      onProgress(`ending a PostgreSQL of an earlier run that does not answer (pid ${server.pid})`);
      await killServer(server, place);
      return undefined;
    }
    const outdated = server.programDeleted || answer.version !== binaries.version;
    if (outdated && options.others === 0) {
      onProgress(`ending the PostgreSQL ${answer.version} of an earlier run, to start ${binaries.version}`);
      await stopServer(server, options);
      return undefined;
    }
    onProgress(
      options.others > 0
        ? `using the PostgreSQL ${answer.version} that another Habeas process runs`
        : `taking over the PostgreSQL ${answer.version} that an earlier run left behind`,
    );
    return server;
  }
}
