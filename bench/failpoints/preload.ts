import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { failAtMails } from '../../packages/server/test/failpoints/fail-at-mails.ts';
import { failAtMessages } from '../../packages/server/test/failpoints/fail-at-messages.ts';
import { failAtCalls } from './fail-at-calls.ts';
import { failAtCommits } from './fail-at-commits.ts';
import { failAtFiles } from './fail-at-files.ts';

/**
 * Loaded into the server before everything else, with the folder of its orders in the URL: each commit of it, each call and message of it
 * to others and each file that it puts somewhere becomes two failpoints, one before and one after, named after what is written or
 * called. The server reads its orders when it starts and on SIGUSR2: to note the names that it comes by, or to kill itself at the first of some of
 * them, as `kill -9` would.
 */
const folder = new URL(import.meta.url).searchParams.get('folder') ?? '';
let orders: { readonly kill?: readonly string[]; readonly note?: boolean } = {};

function passes(name: string): void {
  if (orders.note === true) appendFileSync(join(folder, 'noted'), `${name}\n`);
  if (orders.kill?.includes(name) !== true) return;
  writeFileSync(join(folder, 'killed'), name);
  process.kill(process.pid, 'SIGKILL');
}

function readOrders(): void {
  const file = join(folder, 'orders.json');
  if (!existsSync(file)) return;
  orders = JSON.parse(readFileSync(file, 'utf8'));
  renameSync(file, join(folder, 'orders-read.json'));
}

process.on('SIGUSR2', readOrders);
readOrders();

// A server that is killed never writes its cache by itself, and starting is most of what a failpoint takes.
enableCompileCache(join(folder, 'compiled'));
setTimeout(flushCompileCache, 10_000).unref();

failAtCommits(passes);
failAtCalls(passes);
failAtFiles(passes, folder);
failAtMails(passes);
failAtMessages(passes);
