import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect, erase, located, sum } from '../../../test/connector-contract.ts';
import { requireData } from '../../../test/requirements.ts';
import { type Identity, parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createLogsConnector } from './logs-connector.ts';

// Logs of real systems, two thousand lines each, most with carriage returns and without a last line feed. What is found,
// masked and dropped in them is compared byte by byte with a naive search of each line for each identity.

const LOGHUB = requireData('sample-dbs/loghub-2k');
const LOGS = LOGHUB === undefined ? ['none'] : readdirSync(LOGHUB).filter((name) => name.endsWith('_2k.log'));
const CASES = LOGS.flatMap((name) => [
  { name, match: 'exact' },
  { name, match: 'case-insensitive' },
]);

/** What names somebody, or something of somebody's, in such logs. */
const KINDS: readonly RegExp[] = [
  /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])/g,
  /blk_-?\d+/g,
  /\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})\b/g,
  /(?<=\b(?:user|ruser|logname|for|uid)[= ])[A-Za-z0-9][\w@-]*\b/g,
  /\b[a-z][\w-]*(?:\.[\w-]+)+\b/gi,
  /\b\d{5,}\b/g,
];

/** Each with a name, how it is packed, and how it is unpacked again. */
const FORMS = {
  'app.log.1': [(text: Buffer) => text, (bytes: Buffer) => bytes],
  'app.log.2.gz': [gzipSync, gunzipSync],
  'app.log.3.zst': [zstdCompressSync, zstdDecompressSync],
} as const;

/** From, and to. */
type Span = readonly [number, number];

const WORD = /[\p{L}\p{N}\p{M}_]/u;

describe.skipIf(LOGHUB === undefined).each(CASES)(
  'the real log $name, whose identities are compared $match',
  ({ name, match }) => {
    let source: string;
    let values: readonly string[];
    let lines: readonly { readonly text: string; readonly spans: readonly Span[] }[];
    let root: string;

    beforeAll(() => {
      source = readFileSync(join(LOGHUB ?? '', name), 'utf8');
      values = hardOf(occurring(source));
      lines = source
        .split(/(?<=\n)/)
        .map((text) => ({ text, spans: spansOf(text, values, match === 'exact') }));
      root = mkdtempSync(join(tmpdir(), 'habeas-real-logs-'));
    });
    afterAll(() => rmSync(root, { recursive: true, force: true }));

    const prepared = (onErase: string) => {
      for (const [file, [pack]] of Object.entries(FORMS))
        writeFileSync(join(root, file), pack(Buffer.from(source)));
      return connect(root, onErase, match);
    };
    const left = () =>
      Object.entries(FORMS).map(([file, [, unpack]]) =>
        unpack(readFileSync(join(root, file))).toString('utf8'),
      );
    const identities = () => values.map((value): Identity => ({ type: 'user_id', value }));

    test('gives exactly the lines of those who occur in it', async () => {
      const { items } = await collect({ connector: prepared('delete') }, identities());
      const want = lines.filter(({ spans }) => spans.length > 0);
      expect(want.length).toBeGreaterThan(5);
      expect(want.length).toBeLessThan(lines.length);
      for (const file of Object.keys(FORMS)) {
        const got = items.filter(({ row }) => row.file === file).map(({ row }) => row.line);
        expect(got, file).toEqual(want.map(({ text }) => text.replace(/\r?\n$/, '')));
      }
    });

    test('keeps every other byte when their lines are dropped', async () => {
      const connector = prepared('delete');
      const { counts } = await erase({ connector }, await located({ connector }, identities()));
      const kept = lines.filter(({ spans }) => spans.length === 0).map(({ text }) => text);
      expect(left()).toEqual(Object.keys(FORMS).map(() => kept.join('')));
      expect(sum(counts)).toBe(3 * (lines.length - kept.length));
    });

    test('keeps every other byte when they are masked', async () => {
      const connector = prepared('mask');
      await erase({ connector }, await located({ connector }, identities()));
      const masked = lines.map(({ text, spans }) =>
        spans.reduce((all, [from, to]) => all.slice(0, from) + '*'.repeat(to - from) + all.slice(to), text),
      );
      expect(left()).toEqual(Object.keys(FORMS).map(() => masked.join('')));
    });
  },
);

/** Every value of a kind, with how often it occurs. */
function occurring(source: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of KINDS) {
    for (const [value] of source.matchAll(kind)) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

/** Those that stand inside others, such as `10.0.0.1` in `10.0.0.12`, and some of the rare ones: what is easily taken for another. */
function hardOf(counts: ReadonlyMap<string, number>): readonly string[] {
  const all = [...counts.keys()].filter((value) => (counts.get(value) ?? 0) < 200);
  const step = Math.ceil(all.length / 20);
  const hard = new Set(all.filter((_, index) => index % step === 0));
  for (const value of all) {
    if (hard.size === 40) break;
    if (all.some((other) => other !== value && other.includes(value))) hard.add(value);
  }
  return [...hard];
}

/** Where the values stand in a line as words of their own. */
function spansOf(line: string, values: readonly string[], isExact: boolean): readonly Span[] {
  const folded = (text: string) =>
    isExact ? text : text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const text = folded(line);
  return values.flatMap((value) => {
    const sought = folded(value);
    // What joins two words to one value; letters and digits of the value are words already.
    const joins = `.-+@${value}`;
    const goesOn = (at: number, step: number) =>
      WORD.test(line[at] ?? ' ') || (joins.includes(line[at] ?? ' ') && WORD.test(line[at + step] ?? ' '));
    const spans: Span[] = [];
    for (let at = text.indexOf(sought); at !== -1; at = text.indexOf(sought, at + 1)) {
      const end = at + sought.length;
      if (!goesOn(at - 1, -1) && !goesOn(end, 1)) spans.push([at, end]);
    }
    return spans;
  });
}

function connect(root: string, onErase: string, match: string) {
  const dataset = `
dataset:
  - fides_key: logs
    collections:
      - name: app
        habeas: { on_erase: ${onErase}, logs: { path: "app.log*" } }
        fields:
          - { name: user, data_categories: [user.unique_id], fides_meta: { identity: user_id }, habeas: { in_line: anywhere, match: ${match} } }
`;
  return createLogsConnector({
    key: 'logs',
    url: root,
    folder: '/',
    options: {},
    datasets: parseDatasets(dataset, 'logs.yml'),
    keepRules: [],
    clock: fixedClock('2026-01-31T00:00:00Z'),
    connections: 1,
  });
}
