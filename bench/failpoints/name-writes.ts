/** What an audit entry says that it records: `task.succeeded`. */
const ACTION = /^[a-z]+\.[a-z-]+$/;

/** The writes of one transaction. */
export class OpenWrites {
  readonly #tables = new Set<string>();
  readonly #actions: string[] = [];

  add(text: string, values: readonly unknown[]): void {
    const table = tableOf(text);
    if (table === undefined) return;
    this.#tables.add(table);
    if (table === 'audit_entries') this.#actions.push(...actionsIn(values));
  }

  /** Names what happened where an audit entry says it, otherwise the tables. undefined: nothing was written. */
  describe(): string | undefined {
    if (this.#tables.size === 0) return undefined;
    // What a worker claims with it depends on what else is going on, and so is no name.
    const lasting = this.#actions.filter((action) => !action.startsWith('task.started'));
    if (this.#actions.length > 0) return (lasting.length > 0 ? lasting : this.#actions).join(', ');
    return [...this.#tables].sort().join(', ');
  }
}

/** The name of a write that is a transaction of its own. */
export function describeWrite(text: string, values: readonly unknown[]): string | undefined {
  const writes = new OpenWrites();
  writes.add(text, values);
  return writes.describe();
}

function tableOf(text: string): string | undefined {
  // `for update` locks and writes nothing.
  const table = /(?:insert into|(?<!for |key )update|delete from)\s+(?:"?\w+"?\.)?"?(\w+)"?/i.exec(text)?.[1];
  // Working tables of a connection carry a number.
  return table?.replace(/_[0-9a-f]{24}$/, '');
}

/** Actions with the tasks that they are about, in the order of the entries, which are written by columns. */
function actionsIn(values: readonly unknown[]): readonly string[] {
  const columns = values.filter((value): value is readonly string[] => Array.isArray(value));
  const actions = columns.find((column) => column.every((value) => ACTION.test(value))) ?? [];
  const details = columns.find((column) => column.every((value) => String(value).startsWith('{'))) ?? [];
  return actions.map((action, row) => {
    const task = /"task":"([^"]+)"/.exec(details[row] ?? '')?.[1];
    return task === undefined ? action : `${action} ${task}`;
  });
}
