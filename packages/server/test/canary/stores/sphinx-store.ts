import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../eventually.ts';
import { type SphinxServer, startSphinx } from '../../sphinx-server.ts';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';
import type { MarkedPerson } from '../people.ts';

/** Two RT indexes and a plain one, with marks among the words of their dictionaries and in their attributes. */
const DATASET = `
dataset:
  - fides_key: search
    collections:
      - name: people
        habeas: { on_erase: delete, sphinx: {} }
        fields: &email
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: notes
        habeas: { on_erase: delete, sphinx: {} }
        fields:
          - { name: profile.user.id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
      - name: articles
        habeas: { on_erase: delete, sphinx: { index: posts, mark: deleted } }
        fields: *email
`;

/** The document of the delta, which a merge brings. */
const OF_DELTA = '999999';
const INDEXES = ['people', 'notes', 'posts'];

export async function openSphinxStore({ people }: StoreOptions): Promise<CanaryStore> {
  const server = await startSphinx();
  await fill(server, people);
  const merge = [
    ...['/usr/bin/indexer', '--config', server.config, '--merge', 'posts', 'posts_delta'],
    ...['--merge-dst-range', 'deleted', '0', '0', '--rotate'],
  ];
  const stop = async () => {
    await server.kill();
    return server.folder;
  };
  return {
    key: 'search',
    connection: {
      kind: 'sphinx',
      url: server.url,
      options: { commands: { posts: merge }, purge: 'optimize' },
      residuals: [{ copy: 'chunks', for: '30d' }],
    },
    dataset: DATASET,
    contents: () => documentsOf(server),
    stop,
    copies: [
      { path: /\/binlog\//, copy: 'binary-log' },
      { path: /\/data\/(people|notes)\./, copy: 'chunks' },
    ],
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
    },
  };
}

async function fill(server: SphinxServer, people: readonly MarkedPerson[]): Promise<void> {
  for (const { number, mark, email, userId } of people)
    await server.run(
      `INSERT INTO people (id, body, email) VALUES (${number + 1}, 'about ${mark}', '${email}')`,
      `INSERT INTO notes (id, body, profile) VALUES (${number + 1}, 'of ${mark}', '{"user":{"id":"${userId}"}}')`,
    );
  const posts = people.map(({ number, mark, email }) => `${number + 1},1,${email},written by ${mark},0\n`);
  server.index('posts', posts.join(''));
  // What an index is made from is another store.
  rmSync(join(server.folder, 'posts.csv'));
  const shown = async () => (await server.run('SELECT id FROM posts LIMIT 1000')).length;
  await eventually('the plain index is shown', async () => (await shown()) === people.length, 60);
}

async function documentsOf(server: SphinxServer): Promise<ReadonlyMap<string, string>> {
  const all = new Map<string, string>();
  for (const index of INDEXES)
    for (const row of await server.run(`SELECT * FROM ${index} ORDER BY id ASC LIMIT 1000`))
      if (row.id !== OF_DELTA) all.set(`${index} ${row.id}`, JSON.stringify(row));
  return all;
}
