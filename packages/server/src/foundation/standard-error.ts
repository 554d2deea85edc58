import { type DestinationStream, pino, symbols } from 'pino';

/** Of one turn, more is not held back. */
const MOST_CHARACTERS = 64 * 1_024;
/** Of Pino: from here on, something is not as it should be. */
const WARN = 40;

let destination: DestinationStream | undefined;

/**
 * Log lines to standard error. Those of one turn of the event loop go out by one call of the system when it ends: a hundred answers do not need a
 * hundred. A warning or an error goes out at once, with all that came before it.
 */
export function standardError(): DestinationStream {
  destination ??= linesTogether(pino.destination({ fd: 2, sync: true }));
  return destination;
}

export function linesTogether(stream: DestinationStream): DestinationStream {
  let waiting = '';
  let isDue = false;
  const flush = () => {
    const text = waiting;
    waiting = '';
    isDue = false;
    if (text !== '') stream.write(text);
  };
  process.once('exit', flush);
  const together = {
    // Pino tells the level of a line before it writes it.
    [symbols.needsMetadataGsym]: true as const,
    lastLevel: 0,
    write(line: string) {
      waiting += line;
      if (together.lastLevel >= WARN || waiting.length > MOST_CHARACTERS) return flush();
      if (isDue) return;
      isDue = true;
      setImmediate(flush);
    },
  };
  return together;
}
