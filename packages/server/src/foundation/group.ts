/** How many members run side by side after their group failed. */
const LANES = 4;

export interface GroupOptions<Item, Result> {
  /** Most members at once. */
  readonly limit: number;
  /**
   * Turns of the event loop that a group waits before it begins: those whose members were answered together come again together, but each by a socket
   * of its own. A turn is as long as what there is to do in it, some microseconds where there is nothing. (Default: none)
   */
  readonly turns?: number;
  /** Members with the same key never run in one group, and keep their order. */
  readonly keyOf: (item: Item) => string;
  /** Does the work of all members together. If it throws, each member is tried alone, so that one cannot spoil the others. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
}

interface Member<Item, Result> {
  readonly item: Item;
  readonly key: string;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Group commit: what arrives while a group runs makes up the next group. Alone, a member waits for nobody; under load many
 * members share the round trips and the disk flush of one transaction, and throughput grows instead of the queue.
 */
export function createGroup<Item, Result>(
  options: GroupOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const { turns = 0 } = options;
  let waiting: Member<Item, Result>[] = [];
  let running = false;

  const next = (): Member<Item, Result>[] => {
    const taken: Member<Item, Result>[] = [];
    const kept: Member<Item, Result>[] = [];
    const keys = new Set<string>();
    for (const member of waiting) {
      if (taken.length < options.limit && !keys.has(member.key)) taken.push(member);
      else kept.push(member);
      keys.add(member.key);
    }
    waiting = kept;
    return taken;
  };
  const runOne = async (member: Member<Item, Result>): Promise<void> => {
    try {
      const [result] = await options.run([member.item]);
      member.resolve(result as Result);
    } catch (error) {
      member.reject(error);
    }
  };
  const runGroup = async (members: readonly Member<Item, Result>[]): Promise<void> => {
    const [only] = members;
    if (members.length === 1 && only !== undefined) return runOne(only);
    let results: readonly Result[];
    try {
      results = await options.run(members.map((member) => member.item));
    } catch {
      // The group's transaction is rolled back, so nothing of it happened; the member that is at fault gets its own error. A few
      // at once: one that waits for a lock holds up no other, and together they do not take every connection.
      const left = members.values();
      const lane = async () => {
        for (const member of left) await runOne(member);
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      return;
    }
    for (const [index, member] of members.entries()) member.resolve(results[index] as Result);
  };
  const drain = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      for (let turn = 0; turn < turns; turn += 1) await endOfTurn();
      await runGroup(next());
    }
    running = false;
  };

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      waiting.push({ item, key: options.keyOf(item), resolve, reject });
      // A microtask later, so that members that arrive in the same tick share the first group too.
      if (!running) {
        running = true;
        queueMicrotask(drain);
      }
    });
}
