import type { Memory, Waiting } from './remember.ts';
import type { Taken } from './server.ts';

interface Answer {
  /** What was sent. */
  readonly waiting: readonly Waiting[];
  readonly taken: Taken;
  /** By the device's clock. */
  readonly now: Date;
  /** Whether the answer is about the person whose device it is now, and not about what they were before they signed in. */
  readonly isCurrent: boolean;
}

/** What a device knows after the server took what it said. */
export function afterAnswer(known: Memory, { waiting, taken, now, isCurrent }: Answer): Memory {
  const ids = new Set(waiting.map(({ event_id: id }) => id));
  // A device whose clock is ahead says things in the future: they are said again by the server's clock.
  const future = new Set(
    taken.outcomes.filter(({ code }) => code === 'future').map(({ event_id: id }) => id),
  );
  const ahead = now.getTime() - Date.parse(taken.as_of);
  let last = 0;
  const outbox = known.outbox.flatMap((signal) => {
    if (!ids.has(signal.event_id)) return [signal];
    if (!future.has(signal.event_id)) return [];
    const at = Math.min(Date.parse(signal.said_at) - ahead, Date.parse(taken.as_of));
    // What was said later stays later.
    last = Math.max(at, last + 1);
    return [{ ...signal, said_at: new Date(last).toISOString() }];
  });
  const unsent = new Set(outbox.flatMap(({ choices }) => Object.keys(choices)));
  const said = { ...known.said };
  for (const { code, said: granted, said_at: at } of isCurrent ? taken.purposes : []) {
    // What was said meanwhile is newer; and nothing said is no answer.
    if (granted === null || unsent.has(code)) continue;
    if (at || said[code]?.granted !== granted) said[code] = { granted, at: at ?? taken.as_of };
  }
  return { ...known, outbox, said, ...(known.gpc && { gpc: { ...known.gpc, told: true } }) };
}
