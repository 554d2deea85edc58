import { createHash, randomBytes } from 'node:crypto';
import { Decrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { readZip } from '../../../test/read-zip.ts';
import { fixedClock, newSecretKey } from '../../foundation/index.ts';
import { storeRequestKeys } from '../identity-vault.ts';
import { requestMigrations } from '../migrations.ts';
import type { ArchiveFile } from './archive-file.ts';
import { type BuiltPackage, buildPackage } from './build-package.ts';
import { type OpenedPackage, openPackage } from './open-package.ts';
import type { PackageStorage, PackageStorages } from './storage.ts';
import { createPostgresStorage } from './storage-postgres.ts';

const clock = fixedClock('2026-03-01T12:00:00Z');
const masterKey = newSecretKey();
const { signal } = new AbortController();
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase(requestMigrations);
});
afterAll(() => database.close());

/** Blocks of one file, each of incompressible text, and the number of blocks that were asked for in all. */
function filesOf(counts: readonly number[]): { readonly files: readonly ArchiveFile[]; asked(): number } {
  let asked = 0;
  const files = counts.map(
    (count, file): ArchiveFile => ({
      path: `data/${file}.json`,
      compress: file % 2 === 0,
      atMostBytes: 100_000_000,
      async *blocks(from) {
        for (let block = from; block < count; block += 1) {
          asked += 1;
          yield { text: textOf(file, block), last: false };
        }
        yield { text: '', last: true };
      },
    }),
  );
  return { files, asked: () => asked };
}

const texts = new Map<string, string>();

function textOf(file: number, block: number): string {
  const name = `${file} ${block}`;
  const text = texts.get(name) ?? makeText(file, block);
  texts.set(name, text);
  return text;
}

function makeText(file: number, block: number): string {
  const lines = Array.from({ length: 2_000 }, (_, line) =>
    createHash('sha256').update(`${file} ${block} ${line}`).digest('hex'),
  );
  return lines.join('\n');
}

const COUNTS = [9, 1, 12, 0, 8];
/** Small, so that a package of a few megabytes has many. */
const PART_BYTES = 300_000;

interface Hooks {
  /** Before a part is stored, and after it. */
  before?(position: number): void | Promise<void>;
  after?(position: number): void | Promise<void>;
}

function storagesWith(hooks: Hooks = {}): PackageStorages & { readonly puts: number[] } {
  const storage = createPostgresStorage(database.db, clock);
  const puts: number[] = [];
  const current: PackageStorage = {
    ...storage,
    partBytes: PART_BYTES,
    async put(ref, position, bytes, aborted) {
      await hooks.before?.(position);
      await storage.put(ref, position, bytes, aborted);
      puts.push(position);
      await hooks.after?.(position);
    },
  };
  return { current, all: [current], puts };
}

class Job {
  readonly ref: { readonly organizationId: string; readonly requestId: string };
  readonly taskId: string;
  key: Uint8Array | undefined;
  attempt = 0;

  constructor() {
    const id = randomBytes(6).toString('hex');
    this.ref = { organizationId: 'acme', requestId: `req_${id}` };
    this.taskId = `tsk_${id}`;
  }

  async run(
    storages: PackageStorages,
    files: readonly ArchiveFile[],
    more: object = {},
  ): Promise<BuiltPackage> {
    this.attempt += 1;
    if (this.key === undefined) {
      this.key = newSecretKey();
      await storeRequestKeys(database.db, [{ ref: this.ref, key: this.key }], masterKey);
    }
    return buildPackage({
      ...this.ref,
      db: database.db,
      storages,
      clock,
      key: this.key,
      task: { id: this.taskId, attempt: this.attempt },
      contentsDigest: Buffer.from('contents'),
      files: () => files,
      signal,
      ...more,
    });
  }

  async open(storages: PackageStorages, built: BuiltPackage, form: 'zip' | 'age'): Promise<OpenedPackage> {
    await database.pool.query(
      `update habeas.packages set state = 'ready', bytes = $2, sealed_bytes = $3, sha256 = $4, expires_at = '2026-03-08' where id = $1`,
      [built.packageId, built.bytes, built.sealedBytes, built.sha256],
    );
    const opened = await openPackage(
      { db: database.db, storages, masterKey, now: clock.now() },
      this.ref,
      form,
    );
    if (opened === undefined) throw new Error('there is no package');
    return opened;
  }
}

async function bytesOf(opened: OpenedPackage, range = { start: 0, end: opened.bytes }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await opened.read(range, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function zipOf(job: Job, storages: PackageStorages, built: BuiltPackage): Promise<Buffer> {
  return bytesOf(await job.open(storages, built, 'zip'));
}

describe('a package', () => {
  it('is built in parts, is read by any tool in either form, and has the hash that it tells', async () => {
    const job = new Job();
    const storages = storagesWith();
    const built = await job.run(storages, filesOf(COUNTS).files);
    expect(storages.puts).toEqual(Array.from({ length: built.parts }, (_, position) => position));
    expect(built.parts).toBeGreaterThan(5);
    const zip = await zipOf(job, storages, built);
    expect([zip.length, createHash('sha256').update(zip).digest('hex')]).toEqual([built.bytes, built.sha256]);
    expect([...readZip(zip).keys()]).toEqual(COUNTS.map((_, file) => `data/${file}.json`));
    const sealed = await job.open(storages, built, 'age');
    const file = await bytesOf(sealed);
    expect(file.length).toBe(built.sealedBytes);
    const decrypter = new Decrypter();
    decrypter.addIdentity(sealed.identity);
    expect(Buffer.from(await decrypter.decrypt(file)).equals(zip)).toBe(true);
  });

  it('gives any range of either form', async () => {
    const job = new Job();
    const storages = storagesWith();
    const built = await job.run(storages, filesOf(COUNTS).files);
    for (const form of ['zip', 'age'] as const) {
      const opened = await job.open(storages, built, form);
      const whole = await bytesOf(opened);
      const edges = [0, 65_535, 65_536, 65_537, 1_000_001, whole.length - 1, whole.length];
      for (const start of edges)
        for (const end of edges.filter((edge) => edge > start))
          expect((await bytesOf(opened, { start, end })).equals(whole.subarray(start, end))).toBe(true);
    }
  });

  it.each(['before', 'after'] as const)(
    'goes on after a crash %s any part was stored, with the same bytes, and stores at most one part twice',
    async (when) => {
      const whole = new Job();
      const calm = storagesWith();
      const total = filesOf(COUNTS);
      const built = await whole.run(calm, total.files);
      const want = await zipOf(whole, calm, built);
      for (let crash = 0; crash < built.parts; crash += 1) {
        const job = new Job();
        const crashing = storagesWith({
          [when]: (position: number) => {
            if (position === crash) throw new Error('killed');
          },
        });
        const first = filesOf(COUNTS);
        await expect(job.run(crashing, first.files)).rejects.toThrow('killed');
        const rest = filesOf(COUNTS);
        const calmly = storagesWith();
        const again = await job.run(calmly, rest.files);
        expect(calmly.puts[0]).toBe(crash);
        // Blocks that were made twice: those of two parts, of two or three blocks each, and those that were put together ahead of them.
        expect(first.asked() + rest.asked()).toBeLessThanOrEqual(total.asked() + 15);
        expect((await zipOf(job, calmly, again)).equals(want)).toBe(true);
      }
    },
  );

  it('goes on when it crashes at every single part', async () => {
    const job = new Job();
    const seen = new Set<number>();
    const storages = storagesWith({
      after: (position) => {
        if (seen.has(position)) return;
        seen.add(position);
        throw new Error('killed');
      },
    });
    let built: BuiltPackage | undefined;
    for (let tries = 0; built === undefined; tries += 1) {
      expect(tries).toBeLessThan(40);
      built = await job.run(storages, filesOf(COUNTS).files).catch((error: Error) => {
        if (error.message !== 'killed') throw error;
        return undefined;
      });
    }
    expect(seen.size).toBe(built.parts);
    expect(readZip(await zipOf(job, storages, built)).size).toBe(COUNTS.length);
  });

  it('begins again under another key when it is made from something else, or would have other bytes', async () => {
    const cases = [
      { more: { contentsDigest: Buffer.from('other contents') }, spoil: undefined },
      {
        more: {},
        spoil: `update habeas.package_parts set digest = '\\x00' where package_id = $1 and position = 2`,
      },
    ];
    for (const { more, spoil } of cases) {
      const job = new Job();
      const crashing = storagesWith({
        before: (position) => {
          if (position === 2) throw new Error('killed');
        },
      });
      await expect(job.run(crashing, filesOf(COUNTS).files)).rejects.toThrow('killed');
      const { rows: before } = await database.pool.query(
        'select id from habeas.packages where task_id = $1',
        [job.taskId],
      );
      if (spoil !== undefined) await database.pool.query(spoil, [before[0].id]);
      const calm = storagesWith();
      const built = await job.run(calm, filesOf(COUNTS).files, more);
      expect(built.packageId).not.toBe(before[0].id);
      expect(readZip(await zipOf(job, calm, built)).size).toBe(COUNTS.length);
      const { rows } = await database.pool.query(
        'select state, sealed_key from habeas.packages where id = $1',
        [before[0].id],
      );
      expect(rows).toEqual([{ state: 'discarded', sealed_key: null }]);
    }
  });

  it('takes nothing from an attempt that was taken over while it hung', async () => {
    const job = new Job();
    let resume: () => void = () => undefined;
    const hanging = new Promise<void>((resolve) => {
      resume = resolve;
    });
    let reached: () => void = () => undefined;
    const hung = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const slow = storagesWith({
      before: async (position) => {
        if (position !== 3) return;
        reached();
        await hanging;
      },
    });
    const late = job.run(slow, filesOf(COUNTS).files);
    late.catch(() => undefined);
    await hung;
    const calm = storagesWith();
    const built = await job.run(calm, filesOf(COUNTS).files);
    resume();
    await expect(late).rejects.toMatchObject({ code: 'CONFLICT' });
    const zip = await zipOf(job, calm, built);
    expect(createHash('sha256').update(zip).digest('hex')).toBe(built.sha256);
  });
});
