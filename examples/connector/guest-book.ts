import { readFile, rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ConnectionSettings, Connector, Evidence, Identity, LocatedScope, Scope } from 'habeas';

/** One entry of the guest book, which is one JSON file. Replace this and the two functions below it with your store. */
interface Entry {
  readonly id: string;
  readonly email: string;
  readonly text: string;
}

const read = async (file: string): Promise<readonly Entry[]> => JSON.parse(await readFile(file, 'utf8'));

/** The old file stands until the new one is complete. */
async function write(file: string, entries: readonly Entry[]): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(entries, null, 2)}\n`);
  await rename(`${file}.new`, file);
}

const COLLECTION = 'entries';
const KEYS_PER_BATCH = 1_000;

/** `kind: ./guest-book.ts` in habeas.yaml. */
export function createConnector(settings: ConnectionSettings): Connector {
  const file = resolve(settings.folder, settings.url);
  const find = async ({ identities, signal }: Scope): Promise<readonly Entry[]> => {
    signal.throwIfAborted();
    const entries = await read(file);
    signal.throwIfAborted();
    return entries.filter((entry) => isOf(entry, identities));
  };
  return {
    // What is here, the plan uses; each has a method below.
    capabilities: new Set(['resolve', 'collect', 'locate', 'erase', 'verify']),
    async check() {
      const entries = await read(file).catch(() => undefined);
      return entries === undefined
        ? { ok: false, message: 'The guest book cannot be read; correct `url`.', problems: [] }
        : { ok: true, message: `The guest book has ${entries.length} entries.`, problems: [] };
    },
    // Further identities of the same person, before anything is destroyed.
    async resolve(scope) {
      const ids = (await find(scope)).map(({ id }): Identity => ({ type: 'guest_id', value: id }));
      return ids.filter(({ value }) => !valuesOf(scope.identities, 'guest_id').includes(value));
    },
    // The exact keys. Habeas stores them, encrypted, before it lets anything be erased.
    async *locate(scope) {
      const keys = (await find(scope)).map(({ id }) => id);
      for (let at = 0; at < keys.length; at += KEYS_PER_BATCH) {
        const batch = keys.slice(at, at + KEYS_PER_BATCH);
        yield { collection: COLLECTION, columns: ['id'], count: batch.length, keys: batch };
      }
    },
    async *collect(scope) {
      let count = 0;
      for (const entry of await find(scope)) {
        count += 1;
        yield { state: 'item', item: { collection: COLLECTION, row: { ...entry } } };
      }
      yield { state: 'done', evidence: evidenceOf(count) };
    },
    // By the stored keys alone, so that a retry does what the first try would have done.
    async erase(scope, mode) {
      const keys = await keysOf(scope);
      const entries = await read(file);
      const staying = entries.filter(({ id }) => !keys.has(id));
      const found = entries.length - staying.length;
      // Where no attempt was ever answered, what is gone was erased by one of them.
      const count = mode === 'erase' && scope.unanswered === true ? keys.size : found;
      scope.signal.throwIfAborted();
      if (mode === 'erase' && found > 0) await write(file, staying);
      return { state: 'done', evidence: evidenceOf(count) };
    },
    // Reads again: by the identities and by the keys, because either may find what the other does not.
    async verify(scope) {
      const keys = await keysOf(scope);
      scope.signal.throwIfAborted();
      const left = (await read(file)).filter((entry) => keys.has(entry.id) || isOf(entry, scope.identities));
      return { remaining: { [COLLECTION]: left.length }, retained: [] };
    },
    close: async () => undefined,
  };
}

/** `0` and an empty text are values like any other. */
function valuesOf(identities: readonly Identity[], type: string): readonly string[] {
  return identities.filter((identity) => identity.type === type).map(({ value }) => value);
}

function isOf(entry: Entry, identities: readonly Identity[]): boolean {
  const emails = valuesOf(identities, 'email').map((email) => email.toLowerCase());
  return emails.includes(entry.email.toLowerCase()) || valuesOf(identities, 'guest_id').includes(entry.id);
}

async function keysOf(scope: LocatedScope): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for await (const batch of scope.keys()) {
    scope.signal.throwIfAborted();
    for (const key of batch.keys) keys.add(key);
  }
  scope.signal.throwIfAborted();
  return keys;
}

function evidenceOf(count: number): Evidence {
  const counts: Record<string, number> = count === 0 ? {} : { [COLLECTION]: count };
  return { matched: count > 0, counts, retained: [], residuals: [], notes: [] };
}
