import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { missingOptionalPackages } from './optional-packages.ts';

const read = () => JSON.parse(readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8'));

test('the lock file holds the packages of all systems, without which npm ci refuses it', () => {
  expect(Object.keys(missingOptionalPackages(read())), 'mend it with: npm run complete-lock').toEqual([]);
});

test('the lock file names no registry', () => {
  const lock: { packages: Record<string, { resolved?: string; link?: boolean }> } = read();
  const resolved = Object.values(lock.packages).flatMap(({ resolved: url, link }) =>
    link || !url ? [] : [url],
  );
  expect(resolved).toEqual([]);
});

test('a package of another system is found missing, with the systems that its name tells', () => {
  const lock = {
    packages: {
      'node_modules/tool': {
        dev: true,
        optionalDependencies: {
          '@tool/linux-x64-musl': '1.2.3',
          '@tool/windows-arm64': '^1.2.3',
          '@tool/darwin-x64': '1.2.3',
        },
      },
      'node_modules/tool/node_modules/@tool/darwin-x64': { version: '1.2.3' },
    },
  };
  expect(missingOptionalPackages(lock)).toEqual({
    'node_modules/@tool/linux-x64-musl': {
      version: '1.2.3',
      cpu: ['x64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    },
    'node_modules/@tool/windows-arm64': {
      version: '1.2.3',
      cpu: ['arm64'],
      dev: true,
      optional: true,
      os: ['win32'],
    },
  });
});
