import type { Memory } from './remember.ts';
import type { Taken } from './server.ts';

interface Answer {
  readonly taken: Taken;
  /** By the device's clock, in milliseconds. */
  readonly now: number;
  /**
   * Whether the answer is about the person who is signed in now. One about what the device said by itself tells it nothing new, and
   * knows nothing of what the person said elsewhere.
   */
  readonly isTheirs: boolean;
  /** Whether the notice has a purpose. */
  readonly isShown: (code: string) => unknown;
}

/** What a device knows after the server took what it said. */
export function afterAnswer(known: Memory, { taken, now, isTheirs, isShown }: Answer): Memory {
  const codes = new Map(taken.outcomes.map(({ event_id: id, code }) => [id, code]));
  const ahead = now - Date.parse(taken.as_of);
  let last = 0;
  const outbox = known.outbox.flatMap((signal) => {
    const code = codes.get(signal.event_id);
    // A server that is older than the notice will know the purpose soon.
    const waits = code === 'unknown-purpose' && Object.keys(signal.choices).every(isShown);
    if (code === undefined || waits) return [signal];
    if (code !== 'future') return [];
    // A device whose clock is ahead says things in the future: they are said again by the server's clock.
    const at = Math.min(Date.parse(signal.said_at) - ahead, Date.parse(taken.as_of));
    // What was said later stays later.
    last = Math.max(at, last + 1);
    return [{ ...signal, said_at: new Date(last).toISOString() }];
  });
  const unsent = new Set(outbox.flatMap(({ choices }) => Object.keys(choices)));
  const said = { ...known.said };
  for (const { code, said: granted, said_at: at } of isTheirs ? taken.purposes : []) {
    // What was said meanwhile is newer; and nothing said is no answer.
    if (granted === null || unsent.has(code)) continue;
    if (at || said[code]?.granted !== granted) said[code] = { granted, at: at ?? taken.as_of };
  }
  return { ...known, outbox, said, ...(known.gpc && { gpc: { ...known.gpc, told: true } }) };
}
