/** Stands for the service's own store; yours is a database. */
const rows = [
  { email: 'ada@example.org', name: 'Ada' },
  { email: 'bob@example.org', name: 'Bob' },
];

export const users = {
  find: (emails: readonly string[]) => rows.filter(({ email }) => emails.includes(email)),
  /** Gives how many there were. */
  remove(emails: readonly string[]): number {
    const found = users.find(emails);
    for (const row of found) rows.splice(rows.indexOf(row), 1);
    return found.length;
  },
};
