import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAttached } from '../../packages/server/bin/in-our-place.mjs';
import { environmentFor } from './hand-over.mjs';
import { root } from './prepare.mjs';

/** Runs the tests with vitest on this terminal, and counts from vitest's own report. */
export async function runTests(node, args) {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-report-'));
  const report = join(folder, 'report.json');
  try {
    const status = await runAttached(
      node,
      [
        join(root, 'node_modules', 'vitest', 'vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
        ...args,
      ],
      { cwd: root, env: environmentFor(node) },
    );
    return { status, ...count(report, status) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that could not be loaded is a failed test, and so is a run that failed without naming one. */
function count(report, status) {
  const files = readReport(report);
  const tests = files.flatMap((file) => file.assertionResults);
  const having = (...states) => tests.filter((test) => states.includes(test.status));
  const broken = files.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  const failed = having('failed').length + broken;
  return {
    passed: having('passed').length,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: having('pending', 'skipped', 'todo', 'disabled').map((test) => test.fullName),
  };
}

function readReport(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8')).testResults;
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
