import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markOf, placeOf, ROOT, type Snippet } from './pages.ts';

/**
 * What the compiler says about TypeScript snippets, each as a module of its own inside the project, so that it imports what a reader's file
 * would. Lines are those of the snippet. Empty: all are right.
 */
export function typeErrors(snippets: readonly Snippet[]): readonly string[] {
  const parent = join(ROOT, '.habeas');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'snippets-'));
  try {
    const names = new Map(snippets.map((snippet, index) => [`snippet-${index + 1}.ts`, snippet]));
    for (const [name, snippet] of names) writeFileSync(join(folder, name), moduleOf(snippet));
    const config = { extends: join(ROOT, 'tsconfig.json'), include: ['*.ts'], exclude: [] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [tsc, '--noEmit', '--pretty', 'false', '--project', folder],
      { cwd: folder, encoding: 'utf8' },
    );
    if (status === 0) return [];
    const said = `${stdout}${stderr}`.trim().split('\n');
    return said.map((line) =>
      line.replace(/^(snippet-\d+\.ts)\((\d+),/, (_, name: string, at: string) => {
        const snippet = names.get(name);
        return snippet === undefined
          ? line
          : `${placeOf(snippet)} (line ${Number(at) - 1} of the snippet, column `;
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first line has what the page takes for granted, so that the snippet begins on the second. */
function moduleOf(snippet: Snippet): string {
  const given = markOf(snippet, 'given')?.replaceAll('\n', ' ') ?? '';
  return `export {}; ${given}\n${snippet.text}\n`;
}
