import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHabeas } from '../../test/run-habeas.ts';

const TEMPLATE = new URL('../../../../examples/connector/', import.meta.url).pathname;

const CONFIG = `
connections:
  - { key: guests, kind: ./guest-book.ts, team: front, url: guest-book.json, datasets: [guest-book.yml] }
`;

const ENTRIES = ['ann', 'bob', 'cid', 'dan'].map((name, id) => ({
  id: String(id),
  email: `${name}@example.com`,
  text: name,
}));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'habeas-connector-'));
  cpSync(TEMPLATE, folder, { recursive: true });
  writeFileSync(join(folder, 'habeas.yaml'), CONFIG);
  writeFileSync(join(folder, 'guest-book.json'), JSON.stringify(ENTRIES));
});
afterEach(() => rmSync(folder, { recursive: true }));

const test = (...argv: readonly string[]) => runHabeas(['connector', 'test', ...argv], { folder });

describe('habeas connector test', () => {
  it('runs every rule on fresh stores of a fixture, and fits the screen', async () => {
    const result = await test('--fixture', 'guest-book.fixture.ts');
    expect([result.out.match(/✗.*/g), result.exit]).toEqual([null, 0]);
    expect(result.out).toMatch(/✓ \d+ cases passed, 3 skipped/);
    for (const line of result.out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('runs what a connection of the configuration allows: a rule that erases for each test person', async () => {
    const people = ['ann', 'bob'].flatMap((name) => ['--person', `email=${name}@example.com`]);
    const result = await test('guests', ...people, '--other', 'email=dan@example.com', '--json');
    const { items } = result.json() as { items: { name: string; outcome: string; detail: string }[] };
    expect(items.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    const passed = items.filter(({ outcome }) => outcome === 'passed').map(({ name }) => name);
    expect(passed).toEqual(expect.arrayContaining(['check', 'dry-run', 'erase', 'erase-again']));
    const keysFirst = items.find(({ name }) => name === 'keys-first');
    expect(keysFirst).toMatchObject({ outcome: 'skipped', detail: expect.stringContaining('--person') });
  });

  it('says which rule a connector breaks, and ends with 1', async () => {
    writeFileSync(
      join(folder, 'broken.ts'),
      `import { createConnector as right } from './guest-book.ts';
       export const createConnector = (settings) => ({
         ...right(settings),
         verify: async () => ({ remaining: {}, retained: [] }),
       });`,
    );
    writeFileSync(join(folder, 'habeas.yaml'), CONFIG.replace('./guest-book.ts', './broken.ts'));
    const result = await test('guests', '--person', 'email=ann@example.com');
    expect(result.exit).toBe(1);
    expect(result.out).toMatch(/^✗ dry-run/m);
  });

  it.each([
    ['that is not there', undefined, 'cannot be loaded'],
    [
      'that exports nothing of use',
      'export const other = 1;',
      'does not export a function `createConnector`',
    ],
    ['without a method', 'export const createConnector = () => ({ check() {} });', 'has no method `collect`'],
    [
      'that promises more than it has',
      `import { createConnector as right } from './guest-book.ts';
       export const createConnector = (settings) => ({ ...right(settings), locate: undefined });`,
      'has no method `locate`, although it says that it can locate',
    ],
  ])('refuses a module %s', async (_, text, message) => {
    if (text !== undefined) writeFileSync(join(folder, 'mine.ts'), text);
    writeFileSync(join(folder, 'habeas.yaml'), CONFIG.replace('./guest-book.ts', './mine.ts'));
    const result = await test('guests', '--person', 'email=ann@example.com');
    expect([result.exit, result.notes]).toEqual([
      expect.any(Number),
      expect.stringContaining('CONFIG_INVALID'),
    ]);
    expect(result.notes.replaceAll(/\s+/g, ' ')).toContain(message);
    expect(result.exit).not.toBe(0);
  });

  it('asks for what it needs', async () => {
    expect((await test()).notes).toContain('--fixture');
    expect((await test('guests')).notes).toContain('--person');
    expect((await test('gone', '--person', 'email=a@example.com')).notes).toContain('guests');
  });
});

describe('habeas check', () => {
  it('lets a module of one’s own say whether it could act', async () => {
    expect((await runHabeas(['check'], { folder })).exit).toBe(0);
    writeFileSync(join(folder, 'habeas.yaml'), CONFIG.replace('url: guest-book.json', 'url: gone.json'));
    const result = await runHabeas(['check'], { folder });
    expect([result.exit, result.out]).toEqual([1, expect.stringContaining('cannot be read; correct `url`')]);
  });
});
