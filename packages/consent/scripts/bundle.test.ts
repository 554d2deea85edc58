import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { builtFolder, bundle, FILES } from './bundle.ts';

it.each(FILES)('built/%s is what its source is built to: npm run -w packages/consent build', async (name) => {
  expect(readFileSync(new URL(name, builtFolder), 'utf8')).toBe(await bundle(name));
});

it.each(FILES)('built/%s evaluates no text and writes no markup', async (name) => {
  const text = readFileSync(new URL(name, builtFolder), 'utf8');
  expect(text).not.toMatch(/\beval\b|\bFunction\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write/);
});
