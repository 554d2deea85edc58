/** Choices in the order in which they are made; when they end, the simplest is taken. */
class Tape {
  readonly #choices: readonly number[];
  #at = 0;

  constructor(choices: readonly number[]) {
    this.#choices = choices;
  }

  one<Item>(items: readonly Item[]): Item {
    const choice = this.#choices[this.#at] ?? 0;
    this.#at += 1;
    return items[choice % items.length] as Item;
  }
}

/** What has the columns `u` (text) and `n` (integer) by these names: of tables and views by theirs, of CTEs as they are. */
const TABLES: ReadonlyMap<string, string> = new Map([
  ['user_events', 'user_id as u, n'],
  ['profiles', 'user_id as u, length(name) as n'],
  ['visits', 'user_id as u, n'],
  ['visits_2026', 'user_id as u, n'],
  ['site_views', 'user_id as u, n'],
  ['sites', 'site as u, rank as n'],
]);
/** A CTE may hide a table. */
const CTE_NAMES = ['x', 'y', 'user_events', 'profiles', 'sites'];

/** Deeper ones have too many rows to be counted. */
const DEPTH = 3;

type Ctes = ReadonlySet<string>;

/**
 * A statement over the tables of two shops, made by these choices: joins of all kinds, subqueries wherever they may stand, CTEs that hide
 * tables, sets, groups and windows. Its rows depend on nothing but what it reads.
 */
export function randomQuery(choices: readonly number[]): string {
  return new QueryMaker(new Tape(choices)).query(DEPTH, new Set());
}

class QueryMaker {
  readonly #tape: Tape;
  #aliases = 0;

  constructor(tape: Tape) {
    this.#tape = tape;
  }

  /** A query with the columns `u` and `n`. */
  query(depth: number, ctes: Ctes): string {
    if (depth === 0) return this.#table(ctes);
    const kinds = [
      () => this.#table(ctes),
      () => this.#filtered(depth, ctes),
      () => this.#joined(depth, ctes),
      () => this.#lateral(depth, ctes),
      () => this.#grouped(depth, ctes),
      () => this.#sets(depth, ctes),
      () => this.#withQuery(depth, ctes),
      () => this.#scalar(depth, ctes),
      () => this.#ranked(depth, ctes),
    ];
    return this.#tape.one(kinds)();
  }

  #alias(): string {
    this.#aliases += 1;
    return `q${this.#aliases}`;
  }

  #table(ctes: Ctes): string {
    const name = this.#tape.one([...ctes, ...TABLES.keys()]);
    if (ctes.has(name)) return `select u, n from ${name}`;
    const columns = TABLES.get(name) ?? '';
    const written = this.#tape.one([name, `public.${name}`, `"${name}" as t`, `public."${name}" t`]);
    return `select ${columns} from ${written}`;
  }

  /** Something in `from` with these columns. */
  #item(alias: string, depth: number, ctes: Ctes): string {
    const named = [...ctes];
    if (named.length > 0 && this.#tape.one([true, false])) return `${this.#tape.one(named)} as ${alias}`;
    return `(${this.query(depth - 1, ctes)}) as ${alias}`;
  }

  #filtered(depth: number, ctes: Ctes): string {
    const q = this.#alias();
    return `select ${q}.u, ${q}.n from ${this.#item(q, depth, ctes)} where ${this.#condition(q, depth, ctes)}`;
  }

  #condition(q: string, depth: number, ctes: Ctes): string {
    const inner = () => this.#item('i', depth - 1, ctes);
    return this.#tape.one([
      () => `${q}.n > 3`,
      () => `exists (select from ${inner()} where i.u = ${q}.u)`,
      () => `not exists (select from ${inner()} where i.n = ${q}.n)`,
      () => `${q}.n in (select i.n from ${inner()})`,
      () => `${q}.u not in (select coalesce(i.u, '') from ${inner()})`,
      () => `${q}.n >= all (select i.n from ${inner()} where i.u = ${q}.u and i.n is not null)`,
      () => `${q}.n = (select max(i.n) from ${inner()})`,
    ])();
  }

  #joined(depth: number, ctes: Ctes): string {
    const [a, b] = [this.#alias(), this.#alias()];
    const [left, right] = [this.#item(a, depth, ctes), this.#item(b, depth, ctes)];
    const on = this.#tape.one([
      `${a}.u = ${b}.u and ${a}.n <= ${b}.n`,
      `${a}.n = ${b}.n and ${a}.u < ${b}.u`,
    ]);
    const join = this.#tape.one([
      `join ${right} on ${on}`,
      `left join ${right} on ${on}`,
      `right join ${right} on ${on}`,
      `full join ${right} on ${a}.u = ${b}.u and ${a}.n = ${b}.n`,
      `natural join ${right}`,
      `natural left join ${right}`,
    ]);
    return `select coalesce(${a}.u, ${b}.u) as u, coalesce(${a}.n, 0) - coalesce(${b}.n, 0) as n from ${left} ${join}`;
  }

  #lateral(depth: number, ctes: Ctes): string {
    const [a, b] = [this.#alias(), this.#alias()];
    const inner = `select max(i.n) as n, count(*) as c from ${this.#item('i', depth - 1, ctes)} where i.u = ${a}.u`;
    return `select ${a}.u, coalesce(${b}.n, 0) + ${b}.c::int as n from ${this.#item(a, depth, ctes)}, lateral (${inner}) ${b}`;
  }

  #grouped(depth: number, ctes: Ctes): string {
    const q = this.#alias();
    const by = this.#tape.one(['n', 'u', 'n % 3', 'grouping sets ((u), ())']);
    return `select min(u) as u, count(*)::int + coalesce(sum(n), 0)::int as n from ${this.#item(q, depth, ctes)} group by ${by}`;
  }

  #sets(depth: number, ctes: Ctes): string {
    const how = this.#tape.one(['union', 'union all', 'except', 'except all', 'intersect', 'intersect all']);
    return `(${this.query(depth - 1, ctes)}) ${how} (${this.query(depth - 1, ctes)})`;
  }

  #withQuery(depth: number, ctes: Ctes): string {
    const name = this.#tape.one(CTE_NAMES);
    // Its own query does not see it, but the table that it hides; with `recursive` it would see itself.
    const own = this.query(depth - 1, ctes);
    return `with ${name} as (${own}) select w.u, w.n from (${this.query(depth - 1, new Set([...ctes, name]))}) as w`;
  }

  #scalar(depth: number, ctes: Ctes): string {
    const q = this.#alias();
    const inner = `select count(*)::int from ${this.#item('i', depth - 1, ctes)} where i.u = ${q}.u`;
    return `select ${q}.u, (${inner}) as n from ${this.#item(q, depth, ctes)}`;
  }

  #ranked(depth: number, ctes: Ctes): string {
    const q = this.#alias();
    return `select u, rank() over (partition by u order by n)::int as n from ${this.#item(q, depth, ctes)}`;
  }
}
