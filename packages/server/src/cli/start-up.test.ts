import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const source = (path: string) => new URL(`../${path}`, import.meta.url);

/** The packages that are loaded before a command runs: along the imports of values, without the dynamic ones. */
function packagesOf(entry: URL, seen = new Set<string>()): Set<string> {
  if (seen.has(entry.href)) return new Set();
  seen.add(entry.href);
  const text = readFileSync(entry, 'utf8');
  const found = new Set<string>();
  for (const [, words = '', specifier = ''] of text.matchAll(
    /^(?:import|export)\s+((?:[^'";]*?)\s+from\s+)?'([^']+)';/gm,
  )) {
    const names = /^\{([^}]*)\}/
      .exec(words)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '');
    if (words.startsWith('type ') || names?.every((name) => name.trim().startsWith('type ')) === true)
      continue;
    if (specifier.startsWith('.'))
      for (const name of packagesOf(new URL(specifier, entry), seen)) found.add(name);
    else found.add(specifier);
  }
  return found;
}

it('loads for a command that asks a server what such a command needs, and nothing of the server', () => {
  const packages = [...packagesOf(source('command.ts'))].filter((name) => !name.startsWith('node:'));
  expect(packages.toSorted()).toEqual(['@habeas/contract', 'commander']);
  // The same walk finds what the server loads.
  expect([...packagesOf(source('main.ts'))]).toEqual(expect.arrayContaining(['fastify', 'kysely', 'pg']));
});
