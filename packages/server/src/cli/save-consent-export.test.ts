import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { api } from '@habeas/contract';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { saveConsentExport } from './save-consent-export.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'habeas-export-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const signed = (text: string) => ({ manifest: { file: { sha256: sha256(text) } } }) as api.ConsentExport;
const inFolder = () =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

it('saves the file and its manifest, which only their owner may read', async () => {
  // As another program left it, which anybody may read.
  writeFileSync(join(folder, 'a.parquet'), 'old', { mode: 0o644 });
  writeFileSync(join(folder, 'a.parquet.part'), 'old', { mode: 0o644 });
  const { body } = new Response('people');
  await saveConsentExport({ body, manifest: async () => signed('people'), file: join(folder, 'a.parquet') });
  const { 'a.parquet': file, 'a.parquet.manifest.json': manifest = '' } = inFolder();
  expect([file, JSON.parse(manifest)]).toEqual(['people', signed('people')]);
  for (const name of ['a.parquet', 'a.parquet.manifest.json'])
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toHaveLength(3);
});

it.each([
  [
    'ends before all of it came',
    () => new ReadableStream({ pull: (c) => c.error(new Error('lost')) }),
    signed('people'),
    'The server ended the export',
  ],
  [
    'is another one than its manifest says',
    () => new Response('pe').body,
    signed('people'),
    'Export it again',
  ],
  ['has no manifest', () => new Response('people').body, undefined, 'no manifest'],
])('leaves the old export of use when the new one %s', async (_, body, answer, words) => {
  const before = { 'a.parquet': 'old', 'a.parquet.manifest.json': 'of the old' };
  for (const [name, text] of Object.entries(before)) writeFileSync(join(folder, name), text);
  const manifest = async () => answer ?? Promise.reject(new Error('no manifest'));
  const saved = saveConsentExport({ body: body(), manifest, file: join(folder, 'a.parquet') });
  await expect(saved).rejects.toThrow(words);
  expect(inFolder()).toEqual(before);
});

it('says where nothing can be written', async () => {
  const file = join(folder, 'none', 'a.parquet');
  const { body } = new Response('people');
  await expect(
    saveConsentExport({ body, manifest: async () => signed('people'), file }),
  ).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('no such folder') });
});
