import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContractSubject } from 'habeas';
import { createConnector, seal } from './sealed-notes.ts';

const OWNERS = [
  { id: '7', email: 'Ann@example.com', notes: ['Lovely', 'Came again'] },
  { id: '8', email: 'bob@example.com', notes: ['So so'] },
  { id: '0', email: 'first@example.com', notes: ['The first'] },
  { id: '', email: 'lost@example.com', notes: ['Without a number'] },
];

/** A fresh archive, with keys that were made for it, for each rule. */
export async function open(): Promise<ContractSubject & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sealed-notes-'));
  const ring = OWNERS.map(({ id, email }) => ({ id, email, key: randomBytes(32).toString('base64') }));
  const notes = OWNERS.flatMap(({ id: owner, notes: texts }, index) =>
    texts.map((text, at) => ({ id: String(at), owner, sealed: seal(text, ring[index]?.key ?? '') })),
  );
  await writeFile(join(folder, 'keys.json'), JSON.stringify(ring));
  await writeFile(join(folder, 'notes.json'), JSON.stringify(notes));
  const settings = { key: 'archive', url: '.', folder, options: {}, datasets: [], keepRules: [] };
  return {
    folder,
    connector: createConnector({ ...settings, clock: { now: () => new Date() }, connections: 1 }),
    person: [{ type: 'email', value: 'ann@example.com' }],
    other: [{ type: 'email', value: 'bob@example.com' }],
    falsy: [[{ type: 'owner_id', value: '0' }], [{ type: 'owner_id', value: '' }]],
    snapshot: async () => [
      await readFile(join(folder, 'keys.json'), 'utf8'),
      await readFile(join(folder, 'notes.json'), 'utf8'),
    ],
    close: () => rm(folder, { recursive: true }),
  };
}
