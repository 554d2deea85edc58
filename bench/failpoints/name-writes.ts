/** What an audit entry says that it records: `task.succeeded`. */
const ACTION = /^(request|task|ticket|package|receipt)\.[a-z-]+$/;

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
  const table = /(?:insert into|update|delete from)\s+(?:"?\w+"?\.)?"?(\w+)"?/i.exec(text)?.[1];
  // Working tables of a connection carry a number.
  return table?.replace(/_[0-9a-f]{24}$/, '');
}

/** Actions with the tasks that they are about, in the order of the entries. */
function actionsIn(values: readonly unknown[]): readonly string[] {
  const actions: string[] = [];
  for (const value of values) {
    if (typeof value !== 'string') continue;
    if (ACTION.test(value)) actions.push(value);
    const task = /"task":"([^"]+)"/.exec(value)?.[1];
    const last = actions.length - 1;
    if (task !== undefined && last >= 0) actions[last] = `${actions[last]} ${task}`;
  }
  return actions;
}
