import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { HabeasError } from '../../foundation/index.ts';

/** Where rows have values: fields of a collection of a connection, for one group. */
export interface RowSource {
  readonly group: number;
  readonly connection: string;
  readonly collection: string;
  readonly fields: readonly string[];
}

/** One name by one pattern. */
export interface NameRecord {
  /** Byte text. */
  readonly name: string;
  readonly isYoung: boolean;
  /** Rows that have it name nothing. */
  readonly isHidden: boolean;
  readonly pattern: number;
  /** In each group the keys that the name can be read as. */
  readonly keys: readonly { readonly group: number; readonly key: string }[];
}

/** What is asked about a pattern at the end. */
export interface JudgedPattern {
  readonly pattern: number;
  /** How many groups have to be known; undefined: it cannot be said, so that nothing is called a stray by it. */
  readonly groups: number | undefined;
}

/**
 * Both sides of the comparison, in a file without a name: SQLite removes it as soon as it is made, so that nothing is left behind however
 * the process ends, and memory follows neither the names nor the rows.
 */
export class StrayTable implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #sources = new Map<string, number>();
  readonly #all: RowSource[] = [];

  constructor() {
    this.#database = new DatabaseSync('');
    this.#act(() =>
      this.#database.exec(`
        pragma journal_mode = off;
        pragma synchronous = off;
        pragma cache_size = -32768;
        create table thing (id integer primary key, name text not null unique, young integer not null, hidden integer not null);
        create table reading (thing integer, pattern integer, grp integer, key text, primary key (thing, pattern, grp, key)) without rowid;
        create table known (grp integer, key text, primary key (grp, key)) without rowid;
        create table held (source integer, key text, shown text not null, primary key (source, key)) without rowid;
        create table judged (pattern integer primary key, need integer);
        create table safe (thing integer primary key);
        begin`),
    );
  }

  /** What rows know: `shown` is what was read, `key` what is compared. `tells`: the row names things itself. */
  addKnown(source: RowSource, { key, shown, tells }: { key: string; shown: string; tells: boolean }): void {
    this.addOriginal(source.group, key);
    if (tells)
      this.#run('insert or ignore into held (source, key, shown) values (?, ?, ?)', [
        this.#indexOf(source),
        key,
        shown,
      ]);
  }

  /** A key that something is known by. */
  addOriginal(group: number, key: string): void {
    this.#run('insert or ignore into known (grp, key) values (?, ?)', [group, key]);
  }

  /** A name may come again: it is young if one of them is, and hidden if all of them are. */
  addName({ name, isYoung, isHidden, pattern, keys }: NameRecord): void {
    this.#run(
      `insert into thing (name, young, hidden) values (?, ?, ?)
       on conflict (name) do update set young = max(young, excluded.young), hidden = min(hidden, excluded.hidden)`,
      [name, isYoung ? 1 : 0, isHidden ? 1 : 0],
    );
    for (const { group, key } of keys)
      this.#run(
        'insert or ignore into reading (thing, pattern, grp, key) select id, ?, ?, ? from thing where name = ?',
        [pattern, group, key, name],
      );
  }

  /** Ends the reading: says of each thing whether somebody knows it by any pattern. */
  judge(patterns: readonly JudgedPattern[]): void {
    for (const { pattern, groups } of patterns)
      this.#run('insert into judged (pattern, need) values (?, ?)', [pattern, groups ?? null]);
    this.#act(() =>
      this.#database.exec(`
        commit;
        create index reading_key on reading (grp, key);
        create index reading_pattern on reading (pattern, thing);
        insert or ignore into safe (thing)
        select r.thing
          from reading r
          join judged j on j.pattern = r.pattern
          left join known k on k.grp = r.grp and k.key = r.key
         group by r.thing, r.pattern, j.need
        having j.need is null or count(distinct k.grp) = j.need`),
    );
  }

  /** How many names fit these patterns, and how many of them nobody knows. */
  count(patterns: readonly number[]): {
    readonly things: number;
    readonly strays: number;
    readonly young: number;
  } {
    const list = patterns.join(', ');
    const [row] = this.#rows(
      `select count(*), count(*) filter (where s.thing is null and not t.young), count(*) filter (where s.thing is null and t.young)
         from thing t left join safe s on s.thing = t.id
        where t.id in (select thing from reading where pattern in (${list}))`,
    );
    const [things = 0, strays = 0, young = 0] = (row ?? []).map(Number);
    return { things, strays, young };
  }

  /** Names of these patterns that nobody knows and that are not young, in their order. */
  *strays(patterns: readonly number[]): Generator<string> {
    const rows = this.#iterate(
      `select t.name from thing t
        where not t.young and t.id not in (select thing from safe)
          and t.id in (select thing from reading where pattern in (${patterns.join(', ')}))
        order by t.name`,
    );
    for (const [name] of rows) yield String(name);
  }

  /** Where rows had values. */
  get sources(): readonly RowSource[] {
    return this.#all;
  }

  countHeld(source: RowSource): { readonly values: number; readonly dangling: number } {
    const [row] = this.#rows(
      `select count(*), count(*) filter (where not exists (${named(source)}))
         from held h where h.source = ${this.#indexOf(source)}`,
    );
    const [values = 0, dangling = 0] = (row ?? []).map(Number);
    return { values, dangling };
  }

  /** What was read of rows that name nothing. */
  *dangling(source: RowSource): Generator<string> {
    const rows = this.#iterate(
      `select h.shown from held h
        where h.source = ${this.#indexOf(source)}
          and not exists (${named(source)})
        order by h.key`,
    );
    for (const [shown] of rows) yield String(shown);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #indexOf(source: RowSource): number {
    const { group, connection, collection, fields } = source;
    const name = JSON.stringify([group, connection, collection, fields]);
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    this.#sources.set(name, this.#all.length);
    this.#all.push(source);
    return this.#all.length - 1;
  }

  #run(text: string, values: readonly (string | number | null)[]): void {
    const statement = this.#statements.get(text) ?? this.#database.prepare(text);
    this.#statements.set(text, statement);
    this.#act(() => statement.run(...values));
  }

  #rows(text: string): readonly (readonly unknown[])[] {
    return this.#act(() => [...this.#iterate(text)]);
  }

  #iterate(text: string): Iterable<readonly unknown[]> {
    const statement = this.#database.prepare(text);
    statement.setReturnArrays(true);
    // The types of node:sqlite do not know rows that are arrays.
    return statement.iterate() as Iterable<unknown> as Iterable<readonly unknown[]>;
  }

  #act<Result>(act: () => Result): Result {
    try {
      return act();
    } catch (cause) {
      throw new HabeasError(
        'SYSTEM_FAILED',
        'The temporary file of the comparison cannot be written or read. Make room where temporary files lie, or name another folder with the environment variable SQLITE_TMPDIR.',
        { cause, retryable: true },
      );
    }
  }
}

/** What of the store a row of `held h` names. */
function named({ group }: RowSource): string {
  return `select 1 from reading r join thing t on t.id = r.thing where r.grp = ${group} and r.key = h.key and not t.hidden`;
}
