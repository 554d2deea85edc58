/** Lets some in at once; the others wait, in the order in which they came. */
export interface Turns {
  /** Resolves when there is room, with what has to be called in the end, and may be called again. */
  enter(): Promise<() => void>;
}

export function createTurns(most: number): Turns {
  let inside = 0;
  const waiting: (() => void)[] = [];
  const next = () => {
    const waits = waiting.shift();
    if (waits === undefined) inside -= 1;
    // Who comes next takes the place.
    else waits();
  };
  return {
    async enter() {
      if (inside < most) inside += 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let isInside = true;
      return () => {
        if (isInside) next();
        isInside = false;
      };
    },
  };
}
