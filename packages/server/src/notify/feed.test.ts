import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sql } from 'kysely';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { createLogger, type Database, openDatabase } from '../foundation/index.ts';
import { type CreateEventFeedOptions, createEventFeed, type SubscribeOptions } from './feed.ts';
import { notifyMigrations } from './migrations.ts';
import { type OutboxEvent, type OutboxTables, publish, type StoredEvent } from './outbox.ts';
import { readFrontier } from './outbox-frontier.ts';

const now = new Date('2026-11-21T08:00:00Z');
const logger = createLogger({ level: 'silent' });
const organizationId = 'acme';

function event(change: Partial<OutboxEvent> = {}): OutboxEvent {
  return { organizationId, type: 'task.succeeded', data: { n: 1 }, ...change };
}

async function publishNow(db: Database, ...events: readonly OutboxEvent[]): Promise<void> {
  await db.transaction().execute((transaction) => publish(transaction, events, now));
}

/** A transaction that a test ends when it wants. */
async function begin(database: TestDatabase) {
  return database.db.startTransaction().execute();
}

async function openFeed(database: TestDatabase, options: Partial<CreateEventFeedOptions> = {}) {
  const feed = createEventFeed({ ...database, logger, pollMilliseconds: 60_000, ...options });
  const ends = new AbortController();
  return {
    subscribe: (subscription: Partial<SubscribeOptions> = {}) =>
      feed.subscribe({ organizationId, signal: ends.signal, ...subscription })[Symbol.asyncIterator](),
    feed,
    [Symbol.asyncDispose]: () => feed.close(),
  };
}

async function take(iterator: AsyncIterator<StoredEvent>, count: number): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  while (events.length < count) {
    const next = await iterator.next();
    if (next.done === true) break;
    events.push(next.value);
  }
  return events;
}

function numbers(events: readonly StoredEvent[]): readonly unknown[] {
  return events.map((one) => one.data.n);
}

/** A pool that never gets a connection. */
function nowhere(): pg.Pool {
  return new pg.Pool({ host: '127.0.0.1', port: 1 });
}

/** Polls a condition, with a limit. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const start = performance.now(); performance.now() - start < 20_000; ) {
    if (await condition()) return;
  }
  throw new Error('The condition did not come true in 20 s.');
}

describe('the event feed', () => {
  it('gives what is stored after the given event, then what is published, each once and in order', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using opened = await openFeed(database);
    for (const n of [1, 2, 3]) await publishNow(database.db, event({ data: { n } }));
    const all = opened.subscribe({ after: 0 });
    const stored = await take(all, 3);
    expect(numbers(stored)).toEqual([1, 2, 3]);
    const later = opened.subscribe({ after: stored[1]?.sequence ?? -1 });
    expect(numbers(await take(later, 1))).toEqual([3]);
    const waiting = Promise.all([take(all, 2), take(later, 2)]);
    await publishNow(database.db, event({ data: { n: 4 } }), event({ data: { n: 5 } }));
    const [first, second] = await waiting;
    expect(numbers(first)).toEqual([4, 5]);
    expect(second).toEqual(first);
    expect(first[0]).toMatchObject({ organizationId, type: 'task.succeeded', requestId: undefined, at: now });
  });

  it('without a last event gives only what comes from then on', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using opened = await openFeed(database);
    await publishNow(database.db, event({ data: { n: 1 } }));
    const live = opened.subscribe();
    const waiting = take(live, 1);
    // Publishing goes on until the stream has begun; it must begin with one of these and not with the stored one.
    let n = 2;
    let got: readonly StoredEvent[] | undefined;
    waiting.then((events) => {
      got = events;
    });
    await until(async () => {
      if (got === undefined) await publishNow(database.db, event({ data: { n: n++ } }));
      return got !== undefined;
    });
    expect(numbers(got ?? [])[0]).toBeGreaterThan(1);
  });

  it('gives only events of the organization, and of the request when one is named', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using opened = await openFeed(database);
    await publishNow(
      database.db,
      event({ organizationId: 'other', data: { n: 1 } }),
      event({ requestId: 'req_1', data: { n: 2 } }),
      event({ requestId: 'req_2', data: { n: 3 } }),
      event({ organizationId: 'other', requestId: 'req_2', data: { n: 4 } }),
      event({ data: { n: 5 } }),
    );
    expect(numbers(await take(opened.subscribe({ after: 0 }), 3))).toEqual([2, 3, 5]);
    const narrowed = opened.subscribe({ after: 0, requestId: 'req_2' });
    expect(numbers(await take(narrowed, 1))).toEqual([3]);
    const waiting = take(narrowed, 1);
    await publishNow(database.db, event({ requestId: 'req_1' }));
    await publishNow(database.db, event({ requestId: 'req_2', data: { n: 6 } }));
    expect(numbers(await waiting)).toEqual([6]);
  });

  it('does not pass over an event whose transaction commits after a later one', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using opened = await openFeed(database);
    const stream = opened.subscribe({ after: 0 });
    const slow = await begin(database);
    await publish(slow, [event({ data: { n: 1 } })], now);
    await publishNow(database.db, event({ data: { n: 2 } }));
    const { settled, given } = await readFrontier(database.db);
    expect([settled, given]).toEqual([0, 2]);
    const waiting = take(stream, 2);
    await slow.commit().execute();
    expect(numbers(await waiting)).toEqual([1, 2]);
  });

  it('goes on when the transaction that it waited for is rolled back, which announces nothing', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    // Nobody listens and nobody looks by the clock: only the wait for the transaction can bring the second event.
    await using opened = await openFeed(database, { pool: nowhere() });
    await publishNow(database.db, event({ data: { n: 1 } }));
    const failing = await begin(database);
    await publish(failing, [event({ data: { n: 2 } })], now);
    await publishNow(database.db, event({ data: { n: 3 } }));
    const stream = opened.subscribe({ after: 0 });
    expect(numbers(await take(stream, 1))).toEqual([1]);
    await failing.rollback().execute();
    expect(numbers(await take(stream, 1))).toEqual([3]);
  });

  it('is not held back by a transaction that publishes nothing', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using opened = await openFeed(database);
    const stream = opened.subscribe({ after: 0 });
    const other = await begin(database);
    await sql`create table elsewhere (id int)`.execute(other);
    await publishNow(database.db, event({ data: { n: 1 } }));
    expect(numbers(await take(stream, 1))).toEqual([1]);
    await other.rollback().execute();
  });

  it('gives each of many subscribers every event of concurrent writers once, in order, over reconnections', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using opened = await openFeed(database, { batch: 7 });
    const writers = Array.from({ length: 3 }, () => openDatabase({ url: database.url, connections: 4 }));
    const expected = new Set<string>();
    const total = 12 * 40;
    const write = async (db: Database, writer: number) => {
      for (let turn = 0; turn < 40; turn += 1) {
        const transaction = await db.startTransaction().execute();
        const name = `${writer}/${turn}`;
        await publish(transaction, [event({ data: { name: `${name}/a` } })], now);
        // Other work between and after publishing, of different length, so that commits overtake each other.
        await sql`select count(*) from generate_series(1, ${((writer * 7 + turn) % 13) * 3_000}::int)`.execute(
          transaction,
        );
        await publish(transaction, [event({ data: { name: `${name}/b` } })], now);
        if ((writer + turn) % 4 === 0) await transaction.rollback().execute();
        else {
          await transaction.commit().execute();
          expected.add(`${name}/a`).add(`${name}/b`);
        }
      }
    };
    const done = new AbortController();
    const read = async (perConnection: number) => {
      const got: StoredEvent[] = [];
      while (!done.signal.aborted) {
        const connection = new AbortController();
        const signal = AbortSignal.any([connection.signal, done.signal]);
        const after = got.at(-1)?.sequence ?? 0;
        for await (const one of opened.feed.subscribe({ organizationId, after, signal })) {
          got.push(one);
          if (one.type === 'end') return got;
          if (got.length % perConnection === 0) break;
        }
      }
      return got;
    };
    const readers = [1, 5, 37, 100_000].map(read);
    try {
      await Promise.all(
        writers.flatMap(({ db }, index) =>
          [0, 1, 2, 3].map((connection) => write(db, index * 4 + connection)),
        ),
      );
      await publishNow(database.db, event({ type: 'end' }));
      for (const got of await Promise.all(readers)) {
        const sequences = got.map((one) => one.sequence);
        expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
        expect(new Set(got.slice(0, -1).map((one) => one.data.name))).toEqual(expected);
      }
      expect(expected.size).toBe(total * 2 * 0.75);
    } finally {
      done.abort();
      await Promise.all(writers.map((writer) => writer.close()));
    }
  });

  it('takes a new connection when the one that listens is ended, and gives what came meanwhile', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using opened = await openFeed(database);
    const stream = opened.subscribe({ after: 0 });
    await publishNow(database.db, event({ data: { n: 1 } }));
    await take(stream, 1);
    const listeners = async () => {
      const found = await sql<{ pid: number }>`
        select pid from pg_stat_activity
        where datname = current_database() and query like 'listen%'`.execute(database.db);
      return found.rows.map((row) => row.pid);
    };
    await until(async () => (await listeners()).length === 1);
    const before = await listeners();
    const waiting = take(stream, 1);
    await sql`select pg_terminate_backend(${before[0]})`.execute(database.db);
    await until(async () => (await listeners()).length === 0);
    await publishNow(database.db, event({ data: { n: 2 } }));
    expect(numbers(await waiting)).toEqual([2]);
    await until(async () => {
      const after = await listeners();
      return after.length === 1 && after[0] !== before[0];
    });
    const next = take(stream, 1);
    await publishNow(database.db, event({ data: { n: 3 } }));
    expect(numbers(await next)).toEqual([3]);
  });

  it('finds events by looking now and then where nobody can listen', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using opened = await openFeed(database, { pool: nowhere(), pollMilliseconds: 50 });
    const stream = opened.subscribe({ after: 0 });
    await publishNow(database.db, event({ data: { n: 1 } }));
    expect(numbers(await take(stream, 1))).toEqual([1]);
    const waiting = take(stream, 1);
    await publishNow(database.db, event({ data: { n: 2 } }));
    expect(numbers(await waiting)).toEqual([2]);
  });

  it('costs a slow subscriber no memory', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using opened = await openFeed(database);
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const stream = opened.subscribe({ after: 0 });
    await publishNow(database.db, event({ data: { n: 0 } }));
    await take(stream, 1);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const text = 'x'.repeat(2_000);
    for (let batch = 0; batch < 20; batch += 1) {
      const events = Array.from({ length: 500 }, (_, index) =>
        event({ data: { n: batch * 500 + index, text } }),
      );
      await publishNow(database.db, ...events);
    }
    expect(numbers(await take(stream, 1))).toEqual([0]);
    collectGarbage();
    const growth = process.memoryUsage().heapUsed - before;
    expect(growth).toBeLessThan(5 * 1024 * 1024);
    expect((await take(stream, 9_999)).at(-1)?.data.n).toBe(9_999);
  });

  it('goes on from now for a subscriber whose last event belongs to another database', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using opened = await openFeed(database);
    await publishNow(database.db, event({ data: { n: 1 } }));
    const stream = opened.subscribe({ after: 1_000_000 });
    const waiting = take(stream, 1);
    let ended = false;
    waiting.then(() => {
      ended = true;
    });
    let n = 2;
    await until(async () => {
      if (!ended) await publishNow(database.db, event({ data: { n: n++ } }));
      return ended;
    });
    expect(numbers(await waiting)[0]).toBeGreaterThan(1);
  });

  it('ends a stream when its signal is aborted or the feed is closed, waiting or not', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await using opened = await openFeed(database);
    await publishNow(database.db, event(), event(), event());
    const one = new AbortController();
    const aborted = opened.subscribe({ after: 0, signal: one.signal });
    await take(aborted, 1);
    one.abort();
    expect(await take(aborted, 1)).toEqual([]);
    const two = new AbortController();
    const waiting = opened.subscribe({ after: 3, signal: two.signal });
    const waits = take(waiting, 1);
    two.abort();
    expect(await waits).toEqual([]);
    const open = opened.subscribe({ after: 3 });
    const waitsToo = take(open, 1);
    await opened.feed.close();
    expect(await waitsToo).toEqual([]);
    expect(await take(opened.subscribe({ after: 0 }), 1)).toEqual([]);
  });

  it('says UNAVAILABLE when the database does not answer', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    const gone = openDatabase({ url: 'postgres://postgres@127.0.0.1:1/none' });
    await using opened = await openFeed(database, gone);
    await expect(take(opened.subscribe({ after: 0 }), 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await gone.close();
  });
});

describe('publish', () => {
  it('refuses to store an event outside the transaction of its change', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    await expect(publish(database.db, [event()], now)).rejects.toMatchObject({ code: 'INTERNAL' });
    const rows = await database.db
      .withTables<OutboxTables>()
      .selectFrom('outbox_events')
      .select('id')
      .execute();
    expect(rows).toEqual([]);
  });

  it('lets several publishers of one organization run at the same time', async () => {
    await using database = await createTestDatabase(notifyMigrations);
    const first = await begin(database);
    const second = await begin(database);
    await publish(first, [event()], now);
    await publish(second, [event()], now);
    await second.commit().execute();
    expect(await readFrontier(database.db)).toEqual({ settled: 0, given: 2 });
    await first.commit().execute();
    expect(await readFrontier(database.db)).toEqual({ settled: 2, given: 2 });
  });
});
