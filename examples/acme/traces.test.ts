import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../packages/server/test/database.ts';
import { type Acme, startAcme } from './start.ts';
import { followTraces, type Trace } from './traces.ts';

const PERSON = 31;
let folder: string;
let database: TestDatabase;
let acme: Acme;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acme-traces-'));
  database = await createTestDatabase();
  acme = await startAcme({
    folder,
    shopDatabaseUrl: database.url,
    people: 40,
    habeasPublicKeys: [Buffer.alloc(32, 1).toString('base64url')],
  });
});

afterAll(async () => {
  await acme.stop();
  await database.close();
  rmSync(folder, { recursive: true });
});

const pointing = (traces: readonly Trace[], store: string, place: string) =>
  traces.find((trace) => trace.store === store && trace.place === place)?.pointing;

async function onShop(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(text);
  await client.end();
}

describe('the second pair of eyes', () => {
  it('finds a person in every store, and what is left of them when only some of it goes', async () => {
    const traces = await followTraces(acme, acme.subject(PERSON));
    const before = await traces.look();
    for (const store of ['accounts', 'mailer', 'shop', 'analytics']) {
      expect([store, before.some((trace) => trace.store === store && trace.pointing > 0)]).toEqual([
        store,
        true,
      ]);
    }
    expect(pointing(before, 'shop', 'customers')).toBe(1);
    const orders = pointing(before, 'shop', 'orders') ?? 0;
    expect(orders).toBeGreaterThan(0);

    // An eraser that forgets the children: the customer goes, and nothing else says any more whose the orders are.
    await onShop(
      "set session_replication_role = replica; delete from customers where user_id = 'usr_000031'",
    );
    const orphaned = await traces.look();
    expect(pointing(orphaned, 'shop', 'customers')).toBe(0);
    expect(pointing(orphaned, 'shop', 'orders')).toBe(orders);

    // What the tax office may ask for stays, and no longer says whose it was.
    await onShop(
      "update order_audit set customer_id = null, buyer_email = 'gone@example.invalid' where buyer_email ilike 'siobhan%'",
    );
    const masked = await traces.look();
    expect(masked.find(({ place }) => place === 'order_audit')).toMatchObject({ pointing: 0, kept: orders });
  });

  it('finds an address wherever it lies: in another case, inside a text, in a blob, in a file that was left behind', async () => {
    const subject = acme.subject(PERSON);
    const traces = await followTraces(acme, subject);
    const db = new DatabaseSync(join(acme.folderOf('mailer'), 'operations.sqlite'));
    db.exec('create table if not exists leaks (note text, bytes blob)');
    db.prepare('insert into leaks values (?, ?)').run(`mail to <${subject.email.toUpperCase()}>`, null);
    db.prepare('insert into leaks values (?, ?)').run('x', Buffer.from(`{"email":"${subject.email}"}`));
    db.close();
    writeFileSync(join(acme.folderOf('analytics'), 'export.jsonl'), `{"user_id":"${subject.userId}"}\n`);
    const before = pointing(await traces.look(), 'analytics', 'event files') ?? 0;
    rmSync(join(acme.folderOf('analytics'), 'export.jsonl'));
    const after = await traces.look();
    expect(pointing(after, 'mailer', 'operations: leaks')).toBe(2);
    expect(pointing(after, 'analytics', 'event files')).toBe(before - 1);
  });
});
