/** Lets some in at once; the others wait, in the order in which they came. */
export interface Turns {
  /** Resolves when there is room, with what has to be called in the end. */
  enter(): Promise<() => void>;
}

export function createTurns(most: number): Turns {
  let inside = 0;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) inside -= 1;
    // Who comes next takes the place.
    else next();
  };
  return {
    async enter() {
      if (inside < most) inside += 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return leave;
    },
  };
}
