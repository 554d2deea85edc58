/** Stands for the service's own store, which is slow. */
const sent = [
  { id: 1, to: 'ada@example.org', subject: 'Welcome', invoice: false },
  { id: 2, to: 'ada@example.org', subject: 'Your invoice 17', invoice: true },
  { id: 3, to: 'bob@example.org', subject: 'Welcome', invoice: false },
];

const of = (addresses: readonly string[]) => sent.filter(({ to }) => addresses.includes(to));

export const mails = {
  /** Row by row, as a database cursor gives them. */
  async *read(addresses: readonly string[]) {
    yield* of(addresses);
  },
  /** Erases all but the invoices. Gives how many were erased. */
  async erase(addresses: readonly string[]): Promise<number> {
    const found = of(addresses).filter(({ invoice }) => !invoice);
    for (const mail of found) sent.splice(sent.indexOf(mail), 1);
    return found.length;
  },
  async count(addresses: readonly string[]) {
    const invoices = of(addresses).filter(({ invoice }) => invoice).length;
    return { invoices, others: of(addresses).length - invoices };
  },
};
