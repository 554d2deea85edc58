/** Works on several items at once, as many as their weights allow, and gives the results in the order of the items. */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  {
    weightOf,
    most,
    work,
  }: {
    readonly weightOf: (item: Item) => number;
    /** Of the items that are worked on. One item may be heavier: it is worked on alone. */
    readonly most: number;
    readonly work: (item: Item) => Promise<Result>;
  },
): AsyncGenerator<Result> {
  const running: { readonly result: Promise<Result>; readonly weight: number }[] = [];
  let weights = 0;
  const first = async (): Promise<Result> => {
    const { result, weight } = running.shift() as (typeof running)[number];
    weights -= weight;
    return await result;
  };
  try {
    for (const item of items) {
      const weight = weightOf(item);
      while (running.length > 0 && weights + weight > most) yield await first();
      const result = work(item);
      // Where nobody waits for it any more; whoever does still gets the error.
      result.catch(() => undefined);
      running.push({ result, weight });
      weights += weight;
    }
    while (running.length > 0) yield await first();
  } finally {
    await Promise.allSettled(running.map(({ result }) => result));
  }
}
