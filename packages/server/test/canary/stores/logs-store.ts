import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';
import { unpacked } from '../volumes.ts';

/** A file that is written to, rotated ones that are packed, and JSON lines. */
const DATASET = `
dataset:
  - fides_key: web_logs
    collections:
      - name: access
        habeas: { on_erase: delete, logs: { path: "access.log*", live: access.log } }
        fields:
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: user, data_categories: [user.unique_id], fides_meta: { identity: user_id }, habeas: { in_line: "user={}" } }
      - name: events
        habeas: { on_erase: delete, logs: { path: "events.jsonl*", format: json } }
        fields:
          - { name: user.id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
`;

export async function openLogsStore({ folder, people }: StoreOptions): Promise<CanaryStore> {
  const access = (what: string) =>
    people
      .flatMap(({ userId, email, mark }) => [
        `10.0.0.1 GET /${what}/${mark} user=${userId}`,
        `10.0.0.1 POST /mail?to=${encodeURIComponent(email)}`,
        `10.0.0.1 said hello to ${email}.`,
      ])
      .map((line) => `${line}\n`)
      .join('');
  const events = people
    .map(({ userId, mark }) => `${JSON.stringify({ user: { id: userId }, query: `of ${mark}` })}\r\n`)
    .join('');
  writeFileSync(join(folder, 'access.log'), access('now'));
  writeFileSync(join(folder, 'access.log.1'), access('yesterday'));
  writeFileSync(join(folder, 'access.log.2.gz'), gzipSync(access('earlier')));
  writeFileSync(join(folder, 'access.log.3.zst'), zstdCompressSync(access('long ago')));
  writeFileSync(join(folder, 'events.jsonl'), events);
  writeFileSync(join(folder, 'events.jsonl.1.gz'), gzipSync(events));
  return {
    key: 'web-logs',
    connection: {
      kind: 'logs',
      url: `file://${folder}`,
      residuals: [{ copy: 'shipped-copies', for: '30d' }],
    },
    dataset: DATASET,
    async contents() {
      const all = new Map<string, string>();
      // A line of a live file becomes spaces, which are nobody's.
      for (const name of readdirSync(folder))
        for (const line of unpacked(readFileSync(join(folder, name)))
          .toString('latin1')
          .split(/(?<=\n)/))
          if (line.trim() !== '') all.set(`${name} ${line}`, line);
      return all;
    },
    stop: async () => folder,
    copies: [],
    [Symbol.asyncDispose]: async () => undefined,
  };
}
