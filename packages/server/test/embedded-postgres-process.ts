import { createInterface } from 'node:readline';
import { startEmbeddedPostgres } from '../src/foundation/embedded-postgres/index.ts';
import { HabeasError } from '../src/foundation/errors.ts';
import type { ProcessMessage, ProcessOptions } from './embedded-postgres-user.ts';

// A process of its own that uses the embedded server, for tests that kill it. Its argument is ProcessOptions as JSON; it
// writes one ProcessMessage a line, and stops the server when it reads the line `stop`.

const options = JSON.parse(process.argv[2] ?? '') as ProcessOptions;
const say = (message: ProcessMessage) => process.stdout.write(`${JSON.stringify(message)}\n`);

// Only now, with all modules loaded: the other user may not be able to read the folder that they lie in.
if (options.uid !== undefined && process.setgroups && process.setgid && process.setuid) {
  process.setgroups([]);
  process.setgid(options.uid);
  process.setuid(options.uid);
}

try {
  const server = await startEmbeddedPostgres({
    ...options.start,
    onProgress: (line) => say({ kind: 'progress', line }),
  });
  say({ kind: 'ready', url: server.url(), superuserUrl: server.superuserUrl(), adopted: server.adopted });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'stop') break;
  }
  await server.stop();
  say({ kind: 'stopped' });
} catch (error) {
  if (!(error instanceof HabeasError)) throw error;
  say({ kind: 'failed', code: error.code, text: error.message });
}
process.exit();
