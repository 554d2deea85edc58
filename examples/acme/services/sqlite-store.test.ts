import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readEffects } from '../effects.ts';
import { applyOnce, openStore } from './sqlite-store.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'acme-store-'));
  file = join(folder, 'store.sqlite');
});

afterEach(() => rmSync(folder, { recursive: true }));

const schema = 'create table things (name text primary key) strict;';

function open(people: number, fresh = false): DatabaseSync {
  return openStore({
    file,
    schema,
    people,
    fresh,
    fill: (db) => {
      for (let n = 0; n < people; n += 1) db.prepare('insert into things values (?)').run(`thing ${n}`);
    },
  });
}

function namesIn(db: DatabaseSync): unknown[] {
  return db
    .prepare('select name from things order by name')
    .all()
    .map(({ name }) => name);
}

describe('openStore', () => {
  it('fills an empty file once, and leaves it alone afterwards', () => {
    const first = open(2);
    first.exec("delete from things where name = 'thing 0'");
    first.close();
    using again = open(2);
    expect(namesIn(again)).toEqual(['thing 1']);
  });

  it('begins anew for another number of people, or when it is told to', () => {
    open(2).close();
    const other = open(3);
    other.exec('delete from things');
    other.close();
    using fresh = open(3, true);
    expect(namesIn(fresh)).toHaveLength(3);
  });

  it('leaves nothing half-made when filling ends in the middle', () => {
    const broken = () =>
      openStore({
        file,
        schema,
        people: 2,
        fill: (db) => {
          db.exec("insert into things values ('half')");
          throw new Error('the power went');
        },
      });
    expect(broken).toThrow('the power went');
    using whole = open(2);
    expect(namesIn(whole)).toEqual(['thing 0', 'thing 1']);
  });
});

describe('applyOnce', () => {
  const removeAll = (db: DatabaseSync, idempotencyKey: string) =>
    applyOnce(db, {
      idempotencyKey,
      kind: 'delete',
      work: () => ({ things: Number(db.prepare('delete from things').run().changes) }),
    });

  it('does the work once per key and gives the same counts again', () => {
    using db = open(2);
    expect(removeAll(db, 'a')).toEqual({ things: 2 });
    db.exec("insert into things values ('new')");
    expect(removeAll(db, 'a')).toEqual({ things: 2 });
    expect(namesIn(db)).toEqual(['new']);
    expect(removeAll(db, 'b')).toEqual({ things: 1 });
    expect(readEffects(file)).toEqual([
      { idempotencyKey: 'a', kind: 'delete', count: 2 },
      { idempotencyKey: 'b', kind: 'delete', count: 1 },
    ]);
  });

  it('keeps neither the rows nor the journal of work that failed', () => {
    using db = open(2);
    const work = () => {
      db.exec('delete from things');
      throw new Error('the disk is full');
    };
    expect(() => applyOnce(db, { idempotencyKey: 'a', kind: 'delete', work })).toThrow('the disk is full');
    expect(namesIn(db)).toHaveLength(2);
    expect(readEffects(file)).toEqual([]);
  });
});
