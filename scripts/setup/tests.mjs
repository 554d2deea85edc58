import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { runAttached } from '../../packages/server/bin/in-our-place.mjs';
import { environmentFor } from './hand-over.mjs';
import { root } from './prepare.mjs';

/** What Node has compiled: tests start hundreds of processes, and each would compile it anew. */
const compiled = join(root, 'node_modules', '.cache', 'tests');
/** More failed files than this are no accident of a busy machine. */
const FEW = 3;

/**
 * Runs the tests with vitest on this terminal, and counts from vitest's own report. Where no more than three files failed,
 * those are run once more, alone: what fails only beside other tests is named as unstable and fails nothing, what fails
 * again has failed.
 */
export async function runTests(node, args, folder = root) {
  const first = await runVitest(node, args, folder);
  if (first.failedFiles.length === 0 || first.failedFiles.length > FEW) return { ...first, unstable: [] };
  const options = args.filter((arg) => arg.startsWith('-'));
  console.log(`once more and alone: ${first.failedFiles.join(', ')}`);
  const again = await runVitest(node, ['--no-file-parallelism', ...options, ...first.failedFiles], folder);
  const unstable = first.failedTests.filter((name) => !again.failedTests.includes(name));
  return {
    ...first,
    status: again.status,
    failed: again.failed,
    passed: first.passed + unstable.length,
    unstable,
  };
}

async function runVitest(node, args, cwd) {
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
      { cwd, env: { ...environmentFor(node), NODE_COMPILE_CACHE: compiled } },
    );
    return { status, ...count(readReport(report), status, cwd) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that could not be loaded is a failed test, and so is a run that failed without naming one. */
function count(files, status, folder) {
  const tests = files.flatMap((file) => file.assertionResults);
  const having = (...states) => tests.filter((test) => states.includes(test.status));
  const broken = files.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  const failed = having('failed').length + broken;
  return {
    passed: having('passed').length,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    failedFiles: files.filter((file) => file.status === 'failed').map((file) => relative(folder, file.name)),
    failedTests: having('failed').map((test) => test.fullName),
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
