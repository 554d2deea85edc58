import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const PROJECT = join(import.meta.dirname, '..', '..');

/** What `npm test` counts in a folder with these test files. */
function countsOf(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-tests-'));
  try {
    symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const run = `import { runTests } from ${JSON.stringify(join(PROJECT, 'scripts/setup/tests.mjs'))};
      const counts = await runTests(process.execPath, [], ${JSON.stringify(folder)});
      console.log('counts:' + JSON.stringify(counts));`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', run], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(/^counts:(.*)$/m.exec(out)?.[1] ?? '');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const PASSES = `import { test } from 'vitest'; test('passes', () => {});`;
const FAILS = `import { test } from 'vitest'; test('fails', () => { throw new Error('always'); });`;
/** Fails as long as nobody ran it before. */
const FAILS_ONCE = `import { existsSync, writeFileSync } from 'node:fs';
  import { test } from 'vitest';
  test('fails once', () => { if (!existsSync('ran')) { writeFileSync('ran', ''); throw new Error('the first time'); } });`;

test('what fails beside other tests and passes alone is named as unstable, and fails nothing', () => {
  expect(countsOf({ 'a.test.js': PASSES, 'b.test.js': FAILS_ONCE })).toMatchObject({
    status: 0,
    passed: 2,
    failed: 0,
    unstable: ['fails once'],
  });
});

test('what fails again has failed, and a test of the same run that passed the second time is no excuse', () => {
  expect(countsOf({ 'a.test.js': FAILS, 'b.test.js': FAILS_ONCE })).toMatchObject({
    status: 1,
    passed: 1,
    failed: 1,
    unstable: ['fails once'],
  });
});

test('where more than three files failed, none is run again', () => {
  const many = Object.fromEntries([0, 1, 2].map((n) => [`f${n}.test.js`, FAILS]));
  expect(countsOf({ ...many, 'b.test.js': FAILS_ONCE })).toMatchObject({
    status: 1,
    failed: 4,
    unstable: [],
  });
});
