/** Checks a folder of files or logs, and erases a person in it, as whoever runs this; says in JSON what came of it. */
import { readFileSync } from 'node:fs';
import { parseDatasets } from '../src/catalog/index.ts';
import { createFilesConnector } from '../src/connectors/files/index.ts';
import { createLogsConnector } from '../src/connectors/logs/index.ts';
import { HabeasError, systemClock } from '../src/foundation/index.ts';

const [kind = '', root = '', dataset = '', type = '', value = ''] = process.argv.slice(2);
const connector = (kind === 'files' ? createFilesConnector : createLogsConnector)({
  key: 'folder',
  url: root,
  folder: '/',
  options: {},
  datasets: parseDatasets(readFileSync(dataset, 'utf8'), 'folder.yml'),
  keepRules: [],
  clock: systemClock,
  connections: 1,
});
const scope = {
  organizationId: 'test',
  requestId: 'req_test',
  idempotencyKey: 'test',
  identities: [{ type, value }],
  dueTime: new Date('2100-01-01'),
  signal: new AbortController().signal,
};
const { ok, problems } = await connector.check();
let erased: unknown;
try {
  const keys = await Array.fromAsync(connector.locate?.(scope) ?? []);
  const located = {
    ...scope,
    async *keys() {
      yield* keys;
    },
  };
  const outcome = await connector.erase(located, 'erase');
  erased = outcome.state === 'done' ? outcome.evidence.counts : outcome.state;
} catch (error) {
  const { code, retryable, message } = HabeasError.from(error);
  erased = { code, retryable, message };
}
process.stdout.write(JSON.stringify({ ok, problems, erased }));
