import { defineConfig, type TestUserConfig } from 'vitest/config';

const include = [
  'packages/**/*.test.ts',
  'examples/**/*.test.ts',
  'bench/**/*.test.ts',
  'docs/**/*.test.ts',
  'scripts/**/*.test.ts',
];

/** They measure what their own process holds, or change what is global to it. */
const alone = [
  'packages/sdk/src/operations.test.ts',
  'packages/sdk/src/spools.test.ts',
  'packages/server/src/connectors/logs/logs-bad-input.test.ts',
  'packages/server/src/connectors/parquet/threads.test.ts',
  'packages/server/src/connectors/pd-client/download-records.test.ts',
  'packages/server/src/map/sources/scrape.test.ts',
  'packages/server/src/notify/feed.test.ts',
  'packages/server/src/partners/import/import.test.ts',
  'packages/server/src/requests/package/write-zip.test.ts',
  'packages/server/test/requirements.test.ts',
];

const every: TestUserConfig = {
  // Nothing is meant by it but that what hangs ends: a busy machine takes many times as long as a quiet one.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  pool: 'forks',
  // Two cores are what continuous integration has; more workers only make tests wait for each other.
  maxWorkers: 2,
  // Node itself loads what it loads in production: nothing is transformed, and what is compiled is kept.
  experimental: { viteModuleRunner: false, nodeLoader: false },
};

export default defineConfig({
  test: {
    globalSetup: ['packages/server/test/global-setup.ts'],
    projects: [
      { test: { ...every, name: 'alone', include: alone } },
      // One process after the other would load the same thousand modules, a second for each of hundreds of files.
      {
        test: {
          ...every,
          name: 'together',
          include,
          exclude: ['**/node_modules/**', ...alone],
          isolate: false,
        },
      },
    ],
  },
});
