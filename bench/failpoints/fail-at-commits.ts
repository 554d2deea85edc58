import pg from 'pg';
import { describeWrite, OpenWrites } from './name-writes.ts';

/** Each commit, named after what it writes. */
export function failAtCommits(passes: (name: string) => void): void {
  const writes = new WeakMap<pg.Client, OpenWrites>();
  const query = pg.Client.prototype.query as (...values: unknown[]) => unknown;

  /** What a statement commits: a transaction's writes, or, outside of one, its own. */
  function committedBy(client: pg.Client, text: string, values: readonly unknown[]): string | undefined {
    const open = writes.get(client);
    if (/^\s*begin/i.test(text)) {
      writes.set(client, new OpenWrites());
      return undefined;
    }
    if (/^\s*(commit|rollback)\s*$/i.test(text)) {
      writes.delete(client);
      return /commit/i.test(text) ? open?.describe() : undefined;
    }
    if (open === undefined) return describeWrite(text, values);
    open.add(text, values);
    return undefined;
  }

  pg.Client.prototype.query = function (this: pg.Client, ...given: unknown[]): unknown {
    const [statement, values] = given as [
      string | { text?: string; values?: unknown[] } | undefined,
      unknown,
    ];
    const text = typeof statement === 'string' ? statement : (statement?.text ?? '');
    const bound = Array.isArray(values) ? values : ((statement as { values?: unknown[] })?.values ?? []);
    const what = committedBy(this, text, bound);
    if (what === undefined) return query.apply(this, given);
    const name = `commit of ${what}`;
    passes(`before ${name}`);
    const answer = query.apply(this, given);
    if (!(answer instanceof Promise)) return answer;
    return answer.then((result) => {
      passes(`after ${name}`);
      return result;
    });
  } as typeof pg.Client.prototype.query;
}
