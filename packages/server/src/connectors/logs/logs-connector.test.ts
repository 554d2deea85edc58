import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { collect, erase, located, scopeOf, testConnectorContract } from '../../../test/connector-contract.ts';
import { requireData } from '../../../test/requirements.ts';
import { type Identity, parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { linesIn, openLog } from './log-file.ts';
import { createLogsConnector } from './logs-connector.ts';
import { needlesOf } from './needles.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const dataset = (onErase: string, liveFiles = 'overwrite') => `
dataset:
  - fides_key: logs
    collections:
      - name: app
        habeas: { on_erase: ${onErase}, logs: { path: "app.log*", live: app.log, live_files: ${liveFiles} } }
        fields:
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: user, data_categories: [user.unique_id], fides_meta: { identity: user_id }, habeas: { in_line: ["uid={}", "user '{}'"] } }
      - name: events
        habeas: { on_erase: ${onErase}, logs: { path: "events.jsonl*", format: json } }
        fields:
          - { name: user.id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
`;

const TEXT = [
  'login of ann@example.com from home',
  'login of joann@example.com',
  'mail to mary.ann@example.com.au\r',
  'sent to ANN@EXAMPLE.COM.\r',
  'GET /?mail=ann%40example.com&uid=77',
  'uid=7 did uid=77 no good',
  "user '0' came",
  "user '' came",
  'GET /?mail=bob%40example.com',
  'no line feed at the end of bob@example.com',
].join('\n');

const EVENTS = [
  '{"user": {"id": 7}, "n": 7}',
  '{"user":{"id":"7"}}',
  '{"user":{"id":77},"n":7}',
  '{"user":{"id":0}}',
  '',
].join('\n');

function makeLogs(files: Readonly<Record<string, string | Buffer>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'habeas-logs-'));
  folders.push(root);
  const all = {
    'app.log': TEXT,
    'app.log.1': TEXT,
    'app.log.2.gz': gzipSync(TEXT, { level: 9 }),
    'app.log.3.zst': zstdCompressSync(TEXT),
    'events.jsonl': EVENTS,
    'other.log': TEXT,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(root, name), text);
  return root;
}

const connect = (root: string, text = dataset('delete')) =>
  createLogsConnector({
    key: 'logs',
    url: root,
    folder: '/',
    options: {},
    datasets: parseDatasets(text, 'logs.yml'),
    keepRules: [],
    clock: fixedClock('2026-01-31T00:00:00Z'),
    connections: 1,
  });

function textOf(root: string, name: string): string {
  const bytes = readFileSync(join(root, name));
  const text = name.endsWith('.gz')
    ? gunzipSync(bytes)
    : name.endsWith('.zst')
      ? zstdDecompressSync(bytes)
      : bytes;
  return text.toString('latin1');
}

const snapshotOf = (root: string) =>
  Object.fromEntries(
    readdirSync(root)
      .sort()
      .map((name) => [name, textOf(root, name)]),
  );

const ann: readonly Identity[] = [
  { type: 'email', value: 'Ann@example.com' },
  { type: 'user_id', value: '7' },
];
const bob: readonly Identity[] = [{ type: 'email', value: 'bob@example.com' }];

for (const onErase of ['delete', 'mask']) {
  testConnectorContract(
    `Logs whose lines are to ${onErase}`,
    async () => {
      const root = makeLogs();
      return {
        connector: connect(root, dataset(onErase)),
        person: ann,
        other: bob,
        falsy: [[{ type: 'user_id', value: '0' }], [{ type: 'user_id', value: '' }]],
        snapshot: async () => snapshotOf(root),
        close: async () => undefined,
      };
    },
    { skipped: { discover: /discovery/, sample: /samples/, resolve: /no identities/ } },
  );
}

const dropped = TEXT.split('\n').filter((line) => !/(^| )ann@example\.com|uid=7 |=ann%40/i.test(line));

test('dropped lines go from every packing, and every other byte stays: line endings, format, owner, time', async () => {
  const root = makeLogs();
  const old = new Date('2025-05-05T00:00:00Z');
  utimesSync(join(root, 'app.log.2.gz'), old, old);
  const connector = connect(root);
  const { effects } = await erase({ connector }, await located({ connector }, ann));
  expect(effects).toEqual({
    app: { found: 16, erased: 16, masked: 0, kept: 0, level: 'logical' },
    events: { found: 2, erased: 2, masked: 0, kept: 0, level: 'logical' },
  });
  for (const name of ['app.log.1', 'app.log.2.gz', 'app.log.3.zst'])
    expect(textOf(root, name)).toBe(dropped.join('\n'));
  expect(
    textOf(root, 'app.log')
      .split('\n')
      .filter((line) => line.trim() !== ''),
  ).toEqual(dropped);
  expect(textOf(root, 'app.log')).toHaveLength(TEXT.length);
  expect(textOf(root, 'events.jsonl')).toBe('{"user":{"id":77},"n":7}\n{"user":{"id":0}}\n');
  expect(textOf(root, 'other.log')).toBe(TEXT);
  expect(statSync(join(root, 'app.log.2.gz')).mtime).toEqual(old);
  expect(readFileSync(join(root, 'app.log.2.gz'))[8]).toBe(2);
});

test('redacted lines keep their length and everything but the values', async () => {
  const root = makeLogs({ 'events.jsonl': '{"user":{"id":"7"},"n":"7"}\n{"user":{"id":"x"}}\n' });
  const connector = connect(root, dataset('mask'));
  await erase({ connector }, await located({ connector }, ann));
  const stars = '*'.repeat('ann@example.com'.length);
  const want = TEXT.replaceAll(/(?<= )ann@example\.com(?= )|ANN@EXAMPLE\.COM/g, stars)
    .replace('ann%40example.com', '*'.repeat('ann%40example.com'.length))
    .replace('uid=7 ', 'uid=* ');
  for (const name of ['app.log', 'app.log.1', 'app.log.2.gz', 'app.log.3.zst'])
    expect(textOf(root, name)).toBe(want);
  expect(textOf(root, 'events.jsonl')).toBe('{"user":{"id":"*"},"n":"7"}\n{"user":{"id":"x"}}\n');
});

test('files that are written to are left to their rotation, with the date of its end', async () => {
  const root = makeLogs();
  const connector = connect(root, dataset('delete', '{ left_for: 1mo }'));
  const scope = await located({ connector }, ann);
  const { residuals, effects } = await erase({ connector }, scope);
  expect(textOf(root, 'app.log')).toBe(TEXT);
  expect(effects?.app).toMatchObject({ found: 16, erased: 12, kept: 4 });
  expect(residuals[0]).toMatchObject({
    what: expect.stringContaining('4 lines of app'),
    until: '2026-02-28',
  });
  expect((await connector.verify(scope)).remaining).toEqual({ app: 0, events: 0 });
});

test('a process that keeps writing keeps its handle, and no line that it writes is lost or changed', async () => {
  const root = makeLogs({ 'app.log': '' });
  const path = join(root, 'app.log');
  const writer = spawn(
    process.execPath,
    [
      '-e',
      `const fs = require('node:fs');
       const fd = fs.openSync(process.argv[1], 'a');
       let n = 0;
       process.on('SIGTERM', () => { fs.writeSync(1, String(n)); process.exit(0); });
       const go = () => { for (let i = 0; i < 20; i += 1) { fs.writeSync(fd, n + (n % 5 ? ' of bob@example.com' : ' of ann@example.com') + '\\n'); n += 1; } setTimeout(go, 1); };
       go();`,
      path,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => {
    writer.kill('SIGKILL');
  });
  const told = writer.stdout.setEncoding('utf8').toArray();
  const inode = () => lstatSync(path).ino;
  const before = inode();
  const connector = connect(root);
  const keys = [
    { collection: 'app', columns: ['type', 'value'], count: 1, keys: ['["email","ann@example.com"]'] },
  ];
  // The files that nobody writes to are no part of the count.
  for (const name of ['app.log.1', 'app.log.2.gz', 'app.log.3.zst']) rmSync(join(root, name));
  let erased = 0;
  // As long as it takes the writer to start and to write 500 lines, however busy the machine is.
  for (let round = 0; round < 8 || lstatSync(path).size < 500 * '0 of bob@example.com\n'.length; round += 1)
    erased += (await erase({ connector }, scopeOf(ann, keys))).counts.app ?? 0;
  writer.kill('SIGTERM');
  await once(writer, 'close');
  erased += (await erase({ connector }, scopeOf(ann, keys))).counts.app ?? 0;
  const count = Number((await told).join(''));
  expect(count).toBeGreaterThan(100);
  const want = Array.from({ length: count }, (_, n) =>
    n % 5 ? `${n} of bob@example.com` : ' '.repeat(`${n} of ann@example.com`.length),
  );
  expect(inode()).toBe(before);
  expect(textOf(root, 'app.log').split('\n').slice(0, -1)).toEqual(want);
  expect(erased).toBe(Math.ceil(count / 5));
});

test('a file that is written to while it is written anew stays, and the error says what to do', async () => {
  const root = makeLogs();
  const connector = connect(root);
  const scope = await located({ connector }, ann);
  const path = join(root, 'app.log.1');
  const interval = setInterval(() => appendFileSync(path, 'one more\n'), 0);
  try {
    await expect(
      (async () => {
        for (let round = 0; round < 50; round += 1) {
          appendFileSync(path, 'again ann@example.com\n');
          await erase({ connector }, scope);
        }
      })(),
    ).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      retryable: true,
      message: expect.stringContaining('`live`'),
    });
  } finally {
    clearInterval(interval);
  }
  expect(readdirSync(root).filter((name) => name.includes('unfinished'))).toEqual([]);
});

test('a full disk leaves the old file as it was', async () => {
  if (!existsSync('/dev/full')) throw new Error('This system has no /dev/full.');
  const { writeAll } = await import('./rewrite.ts');
  const { open } = await import('node:fs/promises');
  const full = await open('/dev/full', 'w');
  await expect(writeAll(full, Buffer.from('x'))).rejects.toMatchObject({ code: 'ENOSPC' });
  await full.close();
});

test('a packed file that is cut off, damaged or made to fill a disk is left as it is', async () => {
  const whole = gzipSync(TEXT.repeat(100));
  for (const bytes of [
    whole.subarray(0, whole.length - 20),
    Buffer.concat([whole.subarray(0, 40), Buffer.alloc(9, 7), whole.subarray(49)]),
  ]) {
    const root = makeLogs({ 'app.log.2.gz': bytes });
    const connector = connect(root);
    await expect(located({ connector }, ann)).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      retryable: true,
    });
    expect(readFileSync(join(root, 'app.log.2.gz')).equals(bytes)).toBe(true);
  }
  const root = makeLogs({ 'app.log.9.gz': gzipSync(Buffer.alloc(64 << 20)) });
  await using file = await openLog(join(root, 'app.log.9.gz'), 'read');
  if (file === undefined) throw new Error('It is not there.');
  const limits = { alwaysAllowed: 8 << 20, mostRatio: 500 };
  const search = { needles: [], signal: new AbortController().signal, limits };
  await expect(Array.fromAsync(linesIn(file, search))).rejects.toMatchObject({
    message: expect.stringContaining('500 times'),
  });
});

test('a line that is longer than the memory may be is found where it begins and ends', async () => {
  const long = `${'x '.repeat(40_000)}ann@example.com ${'y '.repeat(40_000)}joann@example.com${' z'.repeat(9_000)}`;
  const root = makeLogs({ 'app.log.1': `before\n${long}\nafter bob@example.com\n` });
  await using file = await openLog(join(root, 'app.log.1'), 'read');
  if (file === undefined) throw new Error('It is not there.');
  const needles = needlesOf(
    [{ type: 'email', match: 'case-insensitive', forms: [{ kind: 'anywhere' }] }],
    ann,
  );
  const search = { needles, signal: new AbortController().signal };
  const [line, ...more] = await Array.fromAsync(linesIn(file, { ...search, longLine: 1_000 }));
  expect(more).toEqual([]);
  expect(line).toMatchObject({
    start: 7,
    end: 7 + long.length + 1,
    spans: [{ from: 7 + 80_000, to: 7 + 80_015 }],
  });
});

describe('what is another value', () => {
  const parts = fc.constantFrom(
    'ann@example.com',
    'ann@example.com',
    'ann@example.com',
    'ann',
    '@example.com',
    '.',
    '-',
    '+',
    ' ',
    '=',
    '"',
    '\\n',
    '%3D',
    'x',
    '7',
    'é',
    '“',
    '\n',
    '\r\n',
    '\u00a0',
    ':',
  );

  test('lines are found exactly as by looking at each value between what joins', async () => {
    let found = 0;
    const needles = needlesOf(
      [{ type: 'email', match: 'exact', forms: [{ kind: 'anywhere' }] }],
      [{ type: 'email', value: 'ann@example.com' }],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(parts, { maxLength: 12 }), fc.nat(), async (texts, cut) => {
        const text = texts.join('');
        const root = mkdtempSync(join(tmpdir(), 'habeas-lines-'));
        folders.push(root);
        writeFileSync(join(root, 'a.log'), text);
        await using file = await openLog(join(root, 'a.log'), 'read');
        if (file === undefined) throw new Error('It is not there.');
        const lines = await Array.fromAsync(
          linesIn(file, { needles, signal: new AbortController().signal, longLine: 1 + (cut % 300) }),
        );
        const want = text
          .split('\n')
          .filter((line) =>
            /(?<!(?:[\p{L}\p{N}\p{M}_](?<!\\[nrtbf]|%[0-9A-F]{2}))[-.+@]?)ann@example\.com(?![-.+@]?[\p{L}\p{N}\p{M}_])/u.test(
              line,
            ),
          );
        found += want.length;
        expect(lines.map(({ bytes }) => bytes?.toString().replace(/\n$/, ''))).toEqual(want);
      }),
      { numRuns: 400 },
    );
    expect(found).toBeGreaterThan(80);
  });
});

test.each([
  ['habeas: { in_line: ["uid={}", "user \'{}\'"] }', '', 'does not say how a line names a user_id'],
  ['"uid={}"', '"uid="', '{} has to stand once'],
  ['path: "app.log*"', 'path: "{user}.log"', 'has a placeholder'],
  ['logs: { path: "events.jsonl*", format: json }', 'key: [a]', 'does not say which logs'],
])('a dataset with %s written as %s is refused in words', async (from, to, message) => {
  const connector = connect(
    makeLogs(),
    dataset('delete')
      .replace(`, ${from}`, to === '' ? '' : `, ${to}`)
      .replace(from, to),
  );
  const { ok, problems } = await connector.check();
  expect([ok, problems.join(' ')]).toEqual([false, expect.stringContaining(message)]);
});

test('an id of more digits than a number of JavaScript holds is found, and its neighbour is not', async () => {
  const lines = ['{"user":{"id":1234567890123456789}}', '{"user":{"id":1234567890123456788}}'];
  const root = makeLogs({ 'events.jsonl': `${lines.join('\n')}\n` });
  const connector = connect(root);
  const scope = await located({ connector }, [{ type: 'user_id', value: '1234567890123456789' }]);
  await erase({ connector }, scope);
  expect(readFileSync(join(root, 'events.jsonl'), 'utf8')).toBe(`${lines[1]}\n`);
});

test('an access gives the lines as they stand there, and bytes where they are no UTF-8', async () => {
  const odd = Buffer.concat([Buffer.from('caf'), Buffer.from([0xe9]), Buffer.from(' ann@example.com\n')]);
  const connector = connect(makeLogs({ 'app.log.1': odd }));
  const { items } = await collect({ connector }, [{ type: 'email', value: 'ann@example.com' }]);
  const row = items.map((item) => item.row).find(({ file }) => file === 'app.log.1');
  expect(row).toMatchObject({ bytes: odd.toString('base64') });
  expect(items.map((item) => item.row.line)).toContain('sent to ANN@EXAMPLE.COM.');
});

const LOGHUB = requireData('sample-dbs/loghub-2k');

test.runIf(LOGHUB !== undefined)(
  'of the real log of a server exactly the lines of one address go',
  async () => {
    const source = readFileSync(join(LOGHUB ?? '', 'OpenSSH_2k.log'), 'latin1');
    const address = '173.234.31.186';
    const root = makeLogs({ 'ssh.log.1': Buffer.from(source, 'latin1') });
    const connector = connect(
      root,
      `
dataset:
  - fides_key: ssh
    collections:
      - name: ssh
        habeas: { on_erase: delete, logs: { path: "ssh.log.*" } }
        fields:
          - { name: address, data_categories: [user.device.ip_address], fides_meta: { identity: ip_address } }
`,
    );
    await erase({ connector }, await located({ connector }, [{ type: 'ip_address', value: address }]));
    const want = source
      .split('\n')
      .filter((line) => !new RegExp(`(?<![\\w.])${address.replaceAll('.', '\\.')}(?!\\.?\\w)`).test(line));
    expect(want.length).toBeLessThan(source.split('\n').length);
    expect(textOf(root, 'ssh.log.1')).toBe(want.join('\n'));
  },
);

test('a live line that a crash left half overwritten is known again by a retry, whatever tells whose it is', async () => {
  const lines = ['GET /secret-of-ann user=7 ok', 'GET / user=77 ok'];
  const events = ['{"user":{"id":7},"n":"secret-of-ann"}', '{"user":{"id":77}}'];
  const live = {
    'live.log': `${lines.join('\n')}\n`,
    'live.jsonl': `${events.join('\n')}\n`,
  };
  const text = `dataset:
  - fides_key: logs
    collections:
      - name: text
        habeas: { on_erase: delete, logs: { path: "live.log", live: live.log } }
        fields:
          - { name: user, data_categories: [user.unique_id], fides_meta: { identity: user_id }, habeas: { in_line: "user={} ok" } }
      - name: json
        habeas: { on_erase: delete, logs: { path: "live.jsonl", live: live.jsonl, format: json } }
        fields: [{ name: user.id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }]
`;
  const root = makeLogs(live);
  const connector = connect(root, text);
  const scope = await located({ connector }, ann);
  const probe = await open(join(root, 'other.log'));
  const handles: FileHandle = Object.getPrototypeOf(probe);
  await probe.close();
  // Between the two parts of an overwriting, first of one file, then of the other.
  for (const file of ['live.log', 'live.jsonl']) {
    const crash = vi.spyOn(handles, 'datasync').mockRejectedValueOnce(new Error('crash'));
    await expect(erase({ connector }, scope), file).rejects.toThrow();
    crash.mockRestore();
  }
  await erase({ connector }, scope);
  expect(textOf(root, 'live.log').trim()).toBe(lines[1]);
  expect(textOf(root, 'live.jsonl').trim()).toBe(events[1]);
  await connector.close();
});
