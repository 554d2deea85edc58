import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContractSubject } from 'habeas';
import { createConnector } from './guest-book.ts';

const ENTRIES = [
  { id: '1', email: 'Ann@example.com', text: 'Lovely' },
  { id: '2', email: 'bob@example.com', text: 'So so' },
  { id: '3', email: 'ann@example.com', text: 'Came again' },
  { id: '0', email: 'first@example.com', text: 'The first' },
  { id: '', email: 'lost@example.com', text: 'Without a number' },
];

/** A fresh store with the same data for each rule: `habeas connector test --fixture guest-book.fixture.ts`. */
export async function open(): Promise<ContractSubject> {
  const folder = await mkdtemp(join(tmpdir(), 'guest-book-'));
  const file = join(folder, 'guest-book.json');
  await writeFile(file, JSON.stringify(ENTRIES));
  const settings = {
    key: 'guests',
    url: 'guest-book.json',
    folder,
    options: {},
    datasets: [],
    keepRules: [],
  };
  return {
    connector: createConnector({ ...settings, clock: { now: () => new Date() }, connections: 1 }),
    person: [{ type: 'email', value: 'ann@example.com' }],
    other: [{ type: 'email', value: 'bob@example.com' }],
    falsy: [[{ type: 'guest_id', value: '0' }], [{ type: 'guest_id', value: '' }]],
    snapshot: () => readFile(file, 'utf8'),
    close: () => rm(folder, { recursive: true }),
  };
}
