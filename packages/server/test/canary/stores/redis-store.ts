import { startRedis } from '../../redis-server.ts';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';

const DATASET = `
dataset:
  - fides_key: cache
    collections:
      - name: sessions
        habeas: { on_erase: delete, redis: { key: ["session:{user_id}:*", "basket:{user_id}"] } }
        fields: &user
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
      - name: newsletter
        habeas: { on_erase: delete, redis: { key: "newsletter:*", member: "{email}" } }
        fields:
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: names
        habeas: { on_erase: delete, redis: { key: "names", field: "{user_id}" } }
        fields: *user
      - name: ranking
        habeas: { on_erase: delete, redis: { key: "ranking", member: "{user_id}" } }
        fields: *user
      - name: jobs
        habeas: { on_erase: delete, redis: { key: "jobs", member: "{user_id}" } }
        fields: *user
      - name: clicks
        habeas: { on_erase: delete, redis: { key: "clicks", entry: { field: user, value: "{user_id}" } } }
        fields: *user
`;

/** An append-only file and a snapshot, as servers have them that must not lose what they hold. */
const SETTINGS = ['--appendonly', 'yes', '--appendfsync', 'no', '--save', '3600 1', '--rdbcompression', 'no'];

export async function openRedisStore({ people }: StoreOptions): Promise<CanaryStore> {
  const server = await startRedis(SETTINGS);
  await server.run(
    ...people.flatMap(({ userId, email, mark }) => [
      ['HSET', `session:${userId}:web`, 'about', `I am ${mark}`],
      ['EXPIRE', `session:${userId}:web`, '86400'],
      ['SET', `basket:${userId}`, `[{"for":"${mark}"}]`],
      ['SADD', 'newsletter:weekly', email],
      ['HSET', 'names', userId, `I am ${mark}`],
      ['ZADD', 'ranking', '7', userId],
      ['RPUSH', 'jobs', userId],
      ['XADD', 'clicks', '*', 'user', userId, 'page', `/of/${mark}`],
    ]),
    ['SAVE'],
  );
  return {
    key: 'cache',
    connection: {
      kind: 'redis',
      url: server.url,
      residuals: ['append-only-file', 'stream-entries'].map((copy) => ({ copy, for: '7d' })),
    },
    dataset: DATASET,
    contents: async () => elementsOf(await server.dump()),
    async stop() {
      // What was written is in the kernel's hands: ending it at once loses nothing, and writes no last snapshot.
      await server.kill();
      return server.folder;
    },
    copies: [
      { path: /\/appendonlydir\//, copy: 'append-only-file' },
      { path: /\/dump\.rdb$/, copy: 'snapshot' },
    ],
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Keys, and the elements of those that many people share. */
function elementsOf(dump: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const [name, text] of Object.entries(dump)) {
    const [type, ends, value]: [string, boolean, unknown] = JSON.parse(text);
    const isOwn = /^(session|basket):/.test(name);
    if (isOwn || !Array.isArray(value)) all.set(name, text);
    else
      for (const element of value)
        all.set(`${name} ${JSON.stringify(element)}`, JSON.stringify([type, ends, element]));
  }
  return all;
}
