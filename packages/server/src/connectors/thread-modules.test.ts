import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** Loads a module and prints how many it came to, Node's own left out. */
const COUNT = `
  let count = 0;
  const load = (url, context, next) => {
    if (url.startsWith('file:')) count += 1;
    return next(url, context);
  };
  require('node:module').registerHooks({ load });
  import(process.argv[1]).then(() => {
    console.log(count);
    process.exit();
  });`;

test.each([
  ['a file of SQLite', './sqlite/sqlite-functions.ts'],
  ['a file of SQLite', './sqlite/delete-keys.ts'],
  ['pages of Parquet', './parquet/page-thread.ts'],
])('the thread of %s is there soon: of all modules it loads the few that it needs (%s)', (_, module) => {
  const file = fileURLToPath(new URL(module, import.meta.url));
  const args = ['--conditions', 'development', '--eval', COUNT, file];
  const count = Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThan(60);
});
