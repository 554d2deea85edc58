import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const FILES = `
dataset:
  - fides_key: media
    collections:
      - name: avatars
        habeas: { on_erase: delete, files: { path: ["avatars/**/{user_id:word}.png"] } }
        fields:
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }`;

const LOGS = `
dataset:
  - fides_key: logs
    collections:
      - name: web
        habeas: { on_erase: delete, logs: { path: ["**/web.log*"], live: ["web.log"] } }
        fields:
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }`;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'habeas-rights-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const isRoot = process.getuid?.() === 0;

/** As a user for whom rights count: nothing is closed to a root that has these capabilities. */
function act(kind: 'files' | 'logs', identity: readonly [type: string, value: string]) {
  const dataset = join(root, 'dataset.yml');
  writeFileSync(dataset, kind === 'files' ? FILES : LOGS);
  const asOther = isRoot ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search,-fowner,-chown'] : [];
  const script = join(import.meta.dirname, '../../../test/act-on-folder-process.ts');
  const [program = '', ...argv] = [...asOther, process.execPath, script, kind, root, dataset, ...identity];
  const { stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe('a user without rights', () => {
  test('to a folder of files is told so at check, and nothing is removed there', () => {
    for (const folder of ['open', 'closed', 'fixed']) {
      mkdirSync(join(root, 'avatars', folder), { recursive: true });
      for (const name of ['zoe', 'bob']) writeFileSync(join(root, 'avatars', folder, `${name}.png`), name);
    }
    expect(act('files', ['user_id', 'nobody'])).toMatchObject({ ok: true, problems: [] });
    chmodSync(join(root, 'avatars/fixed'), 0o555);
    const fixed = act('files', ['user_id', 'zoe']);
    expect(fixed).toEqual({
      ok: false,
      problems: [
        '"avatars": 2 files lie in folders that this user may not write, so that they cannot be removed.',
      ],
      erased: { code: 'SYSTEM_FAILED', retryable: false, message: expect.stringContaining('does not let') },
    });
    expect(JSON.stringify(fixed)).not.toContain('zoe');
    expect(readFileSync(join(root, 'avatars/fixed/zoe.png'), 'utf8')).toBe('zoe');
    chmodSync(join(root, 'avatars/closed'), 0);
    expect(act('files', ['user_id', 'bob'])).toMatchObject({
      ok: false,
      problems: expect.arrayContaining(['"avatars": 1 folders may not be looked into by this user.']),
      erased: { code: 'SYSTEM_FAILED' },
    });
    for (const folder of ['closed', 'fixed']) {
      chmodSync(join(root, 'avatars', folder), 0o755);
      expect(readFileSync(join(root, 'avatars', folder, 'bob.png'), 'utf8')).toBe('bob');
    }
  });

  test('to logs is told so at check, and they stay as they are', () => {
    const text = 'seen ann@example.com\nseen bob@example.com\n';
    mkdirSync(join(root, 'old'));
    for (const name of ['web.log', 'web.log.1', 'old/web.log.2']) writeFileSync(join(root, name), text);
    expect(act('logs', ['email', 'nobody@example.com'])).toMatchObject({ ok: true, problems: [] });
    chmodSync(join(root, 'web.log'), 0o444);
    chmodSync(join(root, 'web.log.1'), 0);
    chmodSync(join(root, 'old'), 0o555);
    const { ok, problems, erased } = act('logs', ['email', 'ann@example.com']);
    expect({ ok, problems: problems.toSorted() }).toEqual({
      ok: false,
      problems: [
        '"web": 1 files lie in folders that this user may not write, so that they cannot be written anew.',
        '"web": 1 files may not be read by this user.',
        '"web": 1 files that are written to now may not be read and written by this user.',
      ],
    });
    expect(erased).toMatchObject({ code: 'SYSTEM_FAILED' });
    chmodSync(join(root, 'web.log.1'), 0o644);
    for (const name of ['web.log', 'web.log.1', 'old/web.log.2'])
      expect(readFileSync(join(root, name), 'utf8'), name).toBe(text);
  });

  test.skipIf(!isRoot)('to give a file back to its owner leaves it as it is', () => {
    const path = join(root, 'web.log.1');
    writeFileSync(path, 'seen ann@example.com\n');
    chownSync(path, 65_534, 65_534);
    expect(act('logs', ['email', 'ann@example.com']).erased).toMatchObject({ code: 'SYSTEM_FAILED' });
    expect(readFileSync(path, 'utf8')).toBe('seen ann@example.com\n');
  });
});
