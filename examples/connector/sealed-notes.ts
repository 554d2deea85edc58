import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ConnectionSettings, Connector, EraseMode, Evidence, Identity, Scope } from 'habeas';

/**
 * A store that nothing can be deleted from, such as an archive on media that are written once: what it keeps of a person is sealed by a key of
 * theirs, and erasing is destroying the key. Replace the key ring with your key management. Whoever destroys a key has to destroy every
 * copy of it: one that a backup of the ring keeps is a residual, and until it ends nothing is erased.
 */
interface Owner {
  readonly id: string;
  readonly email: string;
  /** 32 bytes in base64. */
  readonly key: string;
}

/** One line of the archive: `sealed` is AES-256-GCM as nonce, tag and ciphertext in base64. */
interface SealedNote {
  readonly id: string;
  readonly owner: string;
  readonly sealed: string;
}

const COLLECTION = 'notes';
const KEYS_PER_BATCH = 1_000;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function seal(text: string, key: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key, 'base64'), nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

/** Throws for another key. */
function open(sealed: string, key: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const cipher = createDecipheriv('aes-256-gcm', Buffer.from(key, 'base64'), bytes.subarray(0, NONCE_BYTES));
  cipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return cipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + cipher.final('utf8');
}

/** `kind: ./sealed-notes.ts` in habeas.yaml; `url` is a folder with `keys.json` and `notes.json`. */
export function createConnector(settings: ConnectionSettings): Connector {
  const folder = resolve(settings.folder, settings.url);
  const readRing = async (): Promise<readonly Owner[]> =>
    JSON.parse(await readFile(join(folder, 'keys.json'), 'utf8'));
  const readNotes = async (): Promise<readonly SealedNote[]> =>
    JSON.parse(await readFile(join(folder, 'notes.json'), 'utf8'));
  const find = async ({ identities, signal }: Scope): Promise<readonly SealedNote[]> => {
    signal.throwIfAborted();
    const owners = new Set(
      (await readRing()).filter((owner) => isOne(owner, identities)).map(({ id }) => id),
    );
    signal.throwIfAborted();
    return (await readNotes()).filter(({ owner }) => owners.has(owner));
  };
  return {
    capabilities: new Set(['collect', 'locate', 'erase', 'verify']),
    async check() {
      const ring = await readRing().catch(() => undefined);
      return ring === undefined
        ? { ok: false, message: 'The key ring cannot be read; correct `url`.', problems: [] }
        : { ok: true, message: `The key ring has ${ring.length} keys.`, problems: [] };
    },
    async *locate(scope) {
      const keys = (await find(scope)).map(({ id, owner }) => JSON.stringify([owner, id]));
      for (let at = 0; at < keys.length; at += KEYS_PER_BATCH) {
        const batch = keys.slice(at, at + KEYS_PER_BATCH);
        yield { collection: COLLECTION, columns: ['owner', 'id'], count: batch.length, keys: batch };
      }
    },
    async *collect(scope) {
      const ring = new Map((await readRing()).map(({ id, key }) => [id, key]));
      let count = 0;
      for (const { id, owner, sealed } of await find(scope)) {
        const key = ring.get(owner);
        if (key === undefined) continue;
        count += 1;
        yield { state: 'item', item: { collection: COLLECTION, row: { id, text: open(sealed, key) } } };
      }
      yield { state: 'done', evidence: countOf(count) };
    },
    // The notes stay as they are. What is counted are those that could be read before and cannot be read any more.
    async erase(scope, mode) {
      const stored: (readonly [owner: string, id: string])[] = [];
      for await (const batch of scope.keys()) for (const key of batch.keys) stored.push(JSON.parse(key));
      const owners = new Set(stored.map(([owner]) => owner));
      const ring = await readRing();
      const doomed = new Set(ring.map(({ id }) => id).filter((id) => owners.has(id)));
      const wanted = new Set(stored.map((key) => JSON.stringify(key)));
      // Where no attempt was ever answered, what is gone was erased by one of them.
      const isAfter = mode === 'erase' && scope.unanswered === true;
      const notes = isAfter ? [...wanted] : [...wanted].filter((key) => doomed.has(JSON.parse(key)[0]));
      scope.signal.throwIfAborted();
      if (mode === 'erase' && doomed.size > 0) {
        const staying = ring.filter(({ id }) => !doomed.has(id));
        await writeFile(join(folder, 'keys.json.new'), JSON.stringify(staying));
        await rename(join(folder, 'keys.json.new'), join(folder, 'keys.json'));
      }
      return { state: 'done', evidence: erasureOf(notes.length, mode) };
    },
    // Reads again, with every key that there is: whatever still opens a note of the person is a key of it.
    async verify(scope) {
      const notes = new Map(
        (await find(scope)).map(({ id, owner, sealed }) => [JSON.stringify([owner, id]), sealed]),
      );
      const stored = new Set<string>();
      for await (const batch of scope.keys()) for (const key of batch.keys) stored.add(key);
      for (const { id, owner, sealed } of await readNotes()) {
        const key = JSON.stringify([owner, id]);
        if (stored.has(key)) notes.set(key, sealed);
      }
      const ring = await readRing();
      scope.signal.throwIfAborted();
      const readable = [...notes.values()].filter((sealed) => ring.some(({ key }) => opens(sealed, key)));
      return { remaining: { [COLLECTION]: readable.length }, retained: [] };
    },
    close: async () => undefined,
  };
}

function opens(sealed: string, key: string): boolean {
  try {
    open(sealed, key);
    return true;
  } catch {
    // Another person's key: the tag does not fit.
    return false;
  }
}

function isOne({ id, email }: Owner, identities: readonly Identity[]): boolean {
  return identities.some(({ type, value }) =>
    type === 'email' ? value.toLowerCase() === email.toLowerCase() : type === 'owner_id' && value === id,
  );
}

function countOf(count: number): Evidence {
  const counts: Record<string, number> = count === 0 ? {} : { [COLLECTION]: count };
  return { matched: count > 0, counts, retained: [], residuals: [], notes: [] };
}

/** How far gone the notes are is what this store has to say: they are there, and nobody has a key to them. */
function erasureOf(found: number, mode: EraseMode): Evidence {
  const erased = mode === 'erase' ? found : 0;
  const effect = { found, erased, masked: 0, kept: 0, level: 'key-destroyed' } as const;
  return { ...countOf(found), effects: found === 0 ? {} : { [COLLECTION]: effect } };
}
