import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { type ParseResult, parseSync, Visitor } from 'oxc-parser';

/** An import, re-export or dynamic import as it stands in a file. */
export interface Import {
  /** Such as `../audit/index.ts`, `@habeas/contract/api` or `pg`. */
  readonly specifier: string;
  /** From 1. */
  readonly line: number;
  /** The file of the project that it means; undefined when it is a package or part of Node. */
  readonly target: string | undefined;
  /** It names a file of the project that does not exist. */
  readonly isMissing: boolean;
}

export interface Module {
  /** From the project's folder, with `/`. */
  readonly path: string;
  readonly imports: readonly Import[];
}

const CODE = /\.(?:[cm]?[jt]s|tsx|jsx)$/;
const NOT_OURS = new Set(['node_modules', '.git', '.habeas', 'dist', 'coverage']);

/** Every code file below the folder with what it imports; the parser knows all that TypeScript knows, and fails on what it does not. */
export function readModules(root: string): readonly Module[] {
  const workspaces = readWorkspaces(root);
  return listCode(root).map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const found = specifiersOf(path, text).map(({ specifier, offset }) => {
      const target = resolve({ root, workspaces, from: path, specifier });
      return {
        specifier,
        line: text.slice(0, offset).split('\n').length,
        target,
        isMissing: target !== undefined && !existsSync(join(root, target)),
      };
    });
    return { path, imports: found };
  });
}

/** The paths of all code files below the folder, sorted. */
function listCode(root: string): readonly string[] {
  const visit = (folder: string): readonly string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : visit(path);
      return entry.isFile() && CODE.test(entry.name) ? [relative(root, path).split(sep).join('/')] : [];
    });
  return [...visit(root)].sort();
}

interface Request {
  readonly specifier: string;
  readonly offset: number;
}

function specifiersOf(path: string, text: string): readonly Request[] {
  const result = parseSync(path, text);
  const error = result.errors[0];
  if (error !== undefined) throw new Error(`${path} cannot be read: ${error.message}`);
  const { staticImports, staticExports } = result.module;
  const requests = [
    ...staticImports.map((entry) => entry.moduleRequest),
    ...staticExports.flatMap((entry) => entry.entries.map((one) => one.moduleRequest ?? undefined)),
  ];
  const stated = requests.flatMap((request) =>
    request === undefined ? [] : [{ specifier: request.value, offset: request.start }],
  );
  // Walking the whole tree is slow, and few files hold what only the tree tells.
  const all = text.includes('import(') ? [...stated, ...importsInside(result)] : stated;
  // `export { a, b } from` is one request per name.
  return [...new Map(all.map((entry) => [entry.offset, entry])).values()];
}

/** `await import('./x.ts')` and `import('./x.ts').X` in a type. */
function importsInside(result: ParseResult): readonly Request[] {
  const found: Request[] = [];
  const add = (source: { readonly type: string; readonly start: number }) => {
    if (source.type === 'Literal' && 'value' in source && typeof source.value === 'string') {
      found.push({ specifier: source.value, offset: source.start });
    }
  };
  new Visitor({
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
  }).visit(result.program);
  return found;
}

interface ResolveOptions {
  readonly root: string;
  readonly workspaces: readonly Workspace[];
  readonly from: string;
  readonly specifier: string;
}

function resolve({ root, workspaces, from, specifier }: ResolveOptions): string | undefined {
  if (specifier.startsWith('.')) {
    const path = relative(root, join(root, dirname(from), specifier.replace(/\?.*$/, '')));
    return path.split(sep).join('/');
  }
  const workspace = workspaces.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
  if (workspace === undefined) return undefined;
  // What it does not export is no file that exists, and is reported as missing.
  return `${workspace.folder}/${workspace.exports[`.${specifier.slice(workspace.name.length)}`] ?? 'not-exported'}`;
}

interface Workspace {
  readonly name: string;
  readonly folder: string;
  /** `./api` → `src/api/index.ts`. */
  readonly exports: Readonly<Record<string, string>>;
}

function readWorkspaces(root: string): readonly Workspace[] {
  const { workspaces = [] } = readManifest(root);
  return workspaces
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => {
      const { name = folder, exports = {} } = readManifest(join(root, folder));
      const files = Object.entries(exports).map(([path, file]) => [path, file.slice(2)] as const);
      return { name, folder, exports: Object.fromEntries(files) };
    });
}

interface Manifest {
  readonly name?: string;
  readonly workspaces?: readonly string[];
  readonly exports?: Readonly<Record<string, string>>;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
