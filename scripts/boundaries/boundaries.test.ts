import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { checkBoundaries } from './check-boundaries.ts';
import { findCycles } from './find-cycles.ts';
import { readModules } from './read-modules.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

/** A small project in good order, one of each thing that the rules speak of. */
const GOOD: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ workspaces: ['packages/contract', 'packages/sdk', 'packages/server'] }),
  'packages/contract/package.json': JSON.stringify({
    name: '@h/contract',
    exports: { './api': './src/api.ts' },
  }),
  'packages/contract/src/api.ts': 'export const version = 1;',
  'packages/contract/src/inner.ts': 'export const inner = 1;',
  'packages/sdk/package.json': JSON.stringify({ name: '@h/sdk', exports: { '.': './src/index.ts' } }),
  'packages/sdk/src/index.ts': `export { version } from '@h/contract/api';`,
  'packages/server/package.json': JSON.stringify({ name: 'h' }),
  'packages/server/src/foundation/index.ts': `export * from './ids.ts';`,
  'packages/server/src/foundation/ids.ts': 'export const id = 1;',
  'packages/server/src/audit/index.ts': `import { id } from '../foundation/index.ts';\nexport const entry = id;`,
  'packages/server/src/audit/audit.test.ts': `import '@h/sdk';\nimport '../notify/index.ts';\nimport '../../test/database.ts';`,
  'packages/server/src/notify/index.ts': 'export const mail = 1;',
  'packages/server/src/map/index.ts': `export { entry } from '../audit/index.ts';`,
  'packages/server/src/main.ts': `import './map/index.ts';\nimport './audit/index.ts';`,
  'packages/server/test/database.ts': `import '../src/audit/index.ts';\nimport '../src/foundation/ids.ts';`,
};

function violationsOf(files: Readonly<Record<string, string>>): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'habeas-boundaries-'));
  try {
    for (const [path, text] of Object.entries({ ...GOOD, ...files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return checkBoundaries(readModules(root)).map(({ rule, where }) => `${rule} ${where}`);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('a project in good order has no violations', () => {
  expect(violationsOf({})).toEqual([]);
});

const SERVER = 'packages/server/src';

test.each([
  ['upward-arrow', `${SERVER}/foundation/up.ts`, `import { entry } from '../audit/index.ts';`],
  ['upward-arrow', `${SERVER}/notify/beside.ts`, `import { entry } from '../audit/index.ts';`],
  ['upward-arrow', `${SERVER}/foundation/up.test.ts`, `import { entry } from '../audit/index.ts';`],
  ['upward-arrow', `${SERVER}/foundation/type.ts`, `import type { entry } from '../audit/index.ts';`],
  ['upward-arrow', `${SERVER}/foundation/type.ts`, `export type E = typeof import('../audit/index.ts');`],
  [
    'upward-arrow',
    `${SERVER}/foundation/later.ts`,
    `export const later = () => import('../audit/index.ts');`,
  ],
  ['upward-arrow', `${SERVER}/foundation/on.ts`, `export * from '../audit/index.ts';`],
  ['past-the-index', `${SERVER}/audit/deep.ts`, `import { id } from '../foundation/ids.ts';`],
  ['past-the-index', `${SERVER}/main.ts`, `import { id } from './foundation/ids.ts';`],
  ['unknown-room', `${SERVER}/cellar/index.ts`, `import '../foundation/index.ts';`],
  ['package-arrow', 'packages/contract/src/api.ts', `import 'zod';\nimport '../../server/src/main.ts';`],
  [
    'package-arrow',
    'packages/sdk/src/server.ts',
    `import { id } from '../../server/src/foundation/index.ts';`,
  ],
  ['package-arrow', `${SERVER}/audit/sdk.ts`, `import '@h/sdk';`],
  ['past-the-package', `${SERVER}/audit/inner.ts`, `import '../../../contract/src/inner.ts';`],
  ['missing-file', `${SERVER}/audit/inner.ts`, `import '@h/contract/src/inner.ts';`],
  ['missing-file', `${SERVER}/audit/gone.ts`, `import './nowhere.ts';`],
  ['test-code', `${SERVER}/audit/support.ts`, `import '../../test/database.ts';`],
  ['test-code', `${SERVER}/audit/support.ts`, `import './audit.test.ts';`],
])('%s is caught in %s: %s', (rule, path, text) => {
  const line = text.split('\n').length;
  expect(violationsOf({ [path]: text })).toEqual([`${rule} ${path}:${line}`]);
});

test('cycle is caught, with all files that belong to it', () => {
  const found = violationsOf({
    [`${SERVER}/audit/a.ts`]: `import './b.ts';`,
    [`${SERVER}/audit/b.ts`]: `import './c.ts';`,
    [`${SERVER}/audit/c.ts`]: `import type { A } from './a.ts';`,
    [`${SERVER}/audit/d.ts`]: `import './a.ts';`,
  });
  expect(found).toEqual([`cycle ${SERVER}/audit/a.ts:1`]);
});

test('two circles that share no file are two cycles, and a file that imports itself is one', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['a', 'c']],
    ['c', ['d']],
    ['d', ['c']],
    ['e', ['e', 'a']],
    ['f', ['a']],
  ]);
  expect(findCycles(graph).map((group) => [...group].sort().join())).toEqual(['c,d', 'a,b', 'e']);
});

test('a file with syntax that the reader does not know is an error, not an empty module', () => {
  expect(() => violationsOf({ [`${SERVER}/audit/new.ts`]: 'const = 1;' })).toThrow('new.ts cannot be read');
});

test('syntax of the newest TypeScript is read', () => {
  const text = `export async function run() { await using one = await import('../map/index.ts'); return one satisfies object; }`;
  expect(violationsOf({ [`${SERVER}/audit/new.ts`]: text })).toEqual([
    `upward-arrow ${SERVER}/audit/new.ts:1`,
  ]);
});

test('every code file of this project that git lists is read', () => {
  const listed = execFileSync('git', ['ls-files', '*.ts', '*.mjs'], { cwd: PROJECT, encoding: 'utf8' })
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(PROJECT, path)));
  const modules = readModules(PROJECT);
  expect(listed.length).toBeGreaterThan(100);
  expect(new Set(modules.map(({ path }) => path))).toEqual(
    new Set([...modules.map(({ path }) => path), ...listed]),
  );
  expect(modules.flatMap(({ imports }) => imports).length).toBeGreaterThan(listed.length);
});
