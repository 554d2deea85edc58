import type { About, Identity } from '../../catalog/index.ts';
import { compareIdentity } from './compare-identity.ts';
import { foundName } from './compile.ts';
import { type Compiled, type CompiledCollection, keyDefinitions, keyNames } from './compiled.ts';
import { effectOf } from './effect.ts';
import { rowsToFollow } from './found-rows.ts';
import { ownValues } from './own-values.ts';
import type { FoundGroup, Search } from './search.ts';
import { refuseSharedKeys } from './shared-keys.ts';
import { releaseSharedRows } from './shared-rows.ts';
import type { SqlDialect } from './sql-dialect.ts';
import type { SqlTransaction } from './sql-transaction.ts';
import { keepReferencedRows } from './staying-rows.ts';

/**
 * Finds the rows of a person, in the database itself: each collection has a temporary table with the keys that were found, so that
 * memory here does not follow the number of rows. One statement for each reference and round, whatever the number of keys.
 *
 *     habeas_found_…   k1, k2, …   the key, with the types of the table
 *                      bits        by which ways it was found, as bits of actions and of references to empty
 *                      tick        the round in which the row became the person's; null: not (yet) theirs
 *                      pending     found by a shared reference
 *                      blocked     … and another person reaches it too
 *
 * The fixpoint ends because keys are added once and never taken back.
 */
export class Traversal implements Search {
  readonly transaction: SqlTransaction;
  readonly compiled: Compiled;
  readonly #values = new Map<string, Map<string, string>>();
  readonly #prepared = new Set<string>();
  /** Collections that may have rows. */
  readonly #touched = new Set<string>();
  /** Collection → the last round in which rows became the person's. */
  readonly #newest = new Map<string, number>();
  readonly #followed = new Map<string, number>();
  readonly #read = new Map<string, number>();
  #tick = 0;

  private constructor(transaction: SqlTransaction, compiled: Compiled) {
    this.transaction = transaction;
    this.compiled = compiled;
  }

  /** Runs the whole search. The tables stay for the rest of the transaction. */
  static async run(options: {
    readonly transaction: SqlTransaction;
    readonly compiled: Compiled;
    readonly identities: readonly Identity[];
    /** (Default: person) */
    readonly about?: About | undefined;
    readonly now: Date;
    /** `identities`: only what leads to further identities is searched. (Default: rows) */
    readonly searchFor?: 'rows' | 'identities';
  }): Promise<Traversal> {
    const { transaction, compiled } = options;
    const traversal = new Traversal(
      transaction,
      options.searchFor === 'identities' ? onlyToIdentities(compiled) : compiled,
    );
    await setNow(transaction, compiled.dialect, options.now);
    await traversal.#findByIdentities(options.identities);
    do {
      do await traversal.#follow();
      while (options.about !== 'tenant' && (await traversal.#readIdentities()));
    } while (await releaseSharedRows(traversal));
    if (options.searchFor !== 'identities') await keepReferencedRows(traversal);
    for (const collection of traversal.found)
      if (collection.leaf === undefined)
        await refuseSharedKeys(transaction, collection, `${collection.found} e`);
    return traversal;
  }

  /** Every identity of the person that is known, with those that were given. */
  get identities(): readonly Identity[] {
    return [...this.#values].flatMap(([type, values]) =>
      [...values.values()].map((value) => ({ type, value })),
    );
  }

  /** The collections in which something was found, children before parents. */
  get found(): readonly CompiledCollection[] {
    return this.compiled.order.flat().flatMap((name) => {
      const collection = this.compiled.collections.get(name);
      return collection === undefined || !this.#touched.has(name) ? [] : [collection];
    });
  }

  hasTouched(name: string): boolean {
    return this.#touched.has(name);
  }

  /** The values of an identity type that are known to be the person's. */
  valuesOf(type: string): readonly string[] {
    return [...(this.#values.get(type)?.values() ?? [])];
  }

  async groups(collection: CompiledCollection): Promise<readonly FoundGroup[]> {
    if (collection.leaf !== undefined) {
      const { bits } = collection.leaf.edge;
      return [{ bits, isOwn: true, isShared: false, effect: effectOf(collection, bits, 'own') }];
    }
    const { text } = collection.dialect;
    const rows = await this.transaction.rows(
      `select ${text('bits')}, ${text('own')}, ${text('shared')}
         from (select distinct bits, case when tick is not null then 1 else 0 end as own,
                      case when pending and tick is null then 1 else 0 end as shared
                 from ${collection.found}) g
        order by g.own desc, g.bits, g.shared`,
    );
    return rows.map(([bits, own, shared]) => ({
      bits: Number(bits),
      isOwn: own === '1',
      isShared: shared === '1',
      effect: effectOf(collection, Number(bits), own === '1' ? 'own' : shared === '1' ? 'shared' : 'other'),
    }));
  }

  /** Creates the tables of these collections where the session does not have them yet. Empty at the start of each transaction. */
  async prepare(collections: Iterable<CompiledCollection>): Promise<void> {
    const missing = [...new Set(collections)].filter((collection) => !this.#prepared.has(collection.name));
    for (const collection of missing) this.#prepared.add(collection.name);
    await this.transaction.script(
      missing.flatMap((collection) =>
        collection.dialect.createTemporary({
          name: foundName(collection.signature),
          columns: [
            ...keyDefinitions(collection),
            'bits bigint not null',
            'tick int',
            'pending boolean not null default false',
            'blocked boolean not null default false',
          ],
          key: keyNames(collection),
          rows: collection.isFoundOnce ? 'once' : 'unique',
        }),
      ),
    );
  }

  /** The next round. Rows that become the person's in it are followed later. */
  nextTick(): number {
    this.#tick += 1;
    return this.#tick;
  }

  /** Says that rows of the collection became the person's in this round. */
  markFollowed(collection: string, tick: number): void {
    this.#newest.set(collection, tick);
  }

  async #findByIdentities(identities: readonly Identity[]): Promise<void> {
    const fresh = new Map<string, string[]>();
    for (const { type, value } of identities) {
      const known = this.#values.get(type) ?? new Map<string, string>();
      this.#values.set(type, known);
      if (known.has(value)) continue;
      known.set(value, value);
      const values = fresh.get(type) ?? [];
      values.push(value);
      fresh.set(type, values);
    }
    for (const collection of this.compiled.collections.values()) {
      for (const root of collection.roots) {
        const values = fresh.get(root.identity.type);
        if (values === undefined) continue;
        const comparison = compareIdentity(collection, root, values);
        if (comparison === undefined) continue;
        await this.prepare([collection]);
        const tick = this.nextTick();
        const count = await collection.dialect.addFound(
          this.transaction,
          collection,
          `select ${collection.keyKind === 'row' ? 'distinct ' : ''}${selectKey(collection, 't')}, ${collection.rootBits}, ${tick}, false
             from ${collection.table} t where ${comparison.sql('t')}`,
          comparison.values,
        );
        this.#note(collection.name, count, tick);
      }
    }
  }

  /** Follows the references of all rows that became the person's since they were last followed, until none is left. */
  async #follow(): Promise<void> {
    for (let found = true; found; ) {
      found = false;
      for (const collection of this.compiled.collections.values()) {
        const newest = this.#newest.get(collection.name) ?? 0;
        const done = this.#followed.get(collection.name) ?? 0;
        if (newest <= done) continue;
        this.#followed.set(collection.name, this.#tick);
        found = true;
        await this.#followOne(collection, done);
      }
    }
  }

  async #followOne(from: CompiledCollection, after: number): Promise<void> {
    const upTo = this.#tick;
    const edges = from.outgoing.filter((edge) => edge.bits > 0);
    const targets = edges.flatMap((edge) => this.compiled.collections.get(edge.to) ?? []);
    await this.prepare(targets.filter((to) => to.leaf === undefined));
    for (const edge of edges) {
      const to = this.compiled.collections.get(edge.to);
      if (to === undefined) continue;
      if (to.leaf !== undefined) {
        this.#touched.add(to.name);
        continue;
      }
      const tick = this.nextTick();
      const becomesOwn = edge.follows && edge.share === 'owned';
      const mark = {
        bits: edge.bits,
        tick: becomesOwn ? `${tick}` : 'null + 0',
        pending: edge.follows && edge.share === 'shared',
      };
      const { rows, tick: since } = rowsToFollow({ from, edge });
      const count = await to.dialect.addFound(
        this.transaction,
        to,
        `select ${edge.findsOnce && to.keyKind !== 'row' ? '' : 'distinct '}${selectKey(to, 't')}, ${mark.bits}, ${mark.tick}, ${mark.pending}
           from ${rows} ${to.dialect.joinFromFew} ${to.table} t on ${edge.condition('a', 't')}
          where ${since} > ${after} and ${since} <= ${upTo}`,
      );
      this.#note(to.name, count, becomesOwn ? tick : undefined);
    }
  }

  /**
   * Reads the identities in rows that became the person's, and finds what they lead to. A value that a row of somebody else
   * holds as well, such as a telephone that two people share, names nobody for certain and is not used.
   */
  async #readIdentities(): Promise<boolean> {
    const identities: Identity[] = [];
    for (const collection of this.compiled.collections.values()) {
      const newest = this.#newest.get(collection.name) ?? 0;
      const after = this.#read.get(collection.name) ?? 0;
      if (newest <= after) continue;
      this.#read.set(collection.name, this.#tick);
      for (const root of collection.roots) {
        if (!root.identity.resolves) continue;
        const { type } = root.identity;
        const known = new Set(this.valuesOf(type));
        for (const value of await ownValues(this.transaction, collection, { root, after, known }))
          identities.push({ type, value });
      }
    }
    if (identities.length === 0) return false;
    await this.#findByIdentities(identities);
    return true;
  }

  #note(name: string, count: number, tick: number | undefined): void {
    if (count === 0) return;
    this.#touched.add(name);
    if (tick !== undefined) this.#newest.set(name, tick);
  }
}

/**
 * The collections that have identities or lead to some that have. Whether a shared row is the person's alone depends on all others, so
 * that nothing is left out where sharing is on the way.
 */
function onlyToIdentities(compiled: Compiled): Compiled {
  const wanted = new Set(
    [...compiled.collections.values()]
      .filter((collection) => collection.roots.length > 0)
      .map((collection) => collection.name),
  );
  for (const name of wanted) {
    for (const edge of compiled.collections.get(name)?.incoming ?? []) {
      if (!edge.follows) continue;
      if (edge.share === 'shared') return compiled;
      wanted.add(edge.from);
    }
  }
  return {
    ...compiled,
    collections: new Map([...compiled.collections].filter(([name]) => wanted.has(name))),
  };
}

function selectKey(collection: CompiledCollection, alias: string): string {
  return collection.key.map((part) => part.sql(alias)).join(', ');
}

/** Says what `now` is in the statements of this transaction. */
export async function setNow(transaction: SqlTransaction, dialect: SqlDialect, now: Date): Promise<void> {
  await setValue(transaction, dialect, 'now', sqlTime(now));
}

/** Says what a setting is in the statements of this transaction. */
export async function setValue(
  transaction: SqlTransaction,
  dialect: SqlDialect,
  name: 'now' | 'salt',
  value: string,
): Promise<void> {
  const statement = dialect.set(name);
  if (statement === undefined) transaction.put?.(name, value);
  else await transaction.rows(statement, [value]);
}

/** A time in UTC, without its zone. */
export function sqlTime(time: Date): string {
  return time.toISOString().replace('T', ' ').replace('Z', '');
}
