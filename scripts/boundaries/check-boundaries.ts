import { findCycles } from './find-cycles.ts';
import type { Import, Module } from './read-modules.ts';
import { FREE_FOLDERS, PACKAGES, ROOMS, SERVER_SOURCE, SIDE_DOORS } from './rooms.ts';

export type RuleName =
  /** The import names a file of the project that does not exist. */
  | 'missing-file'
  /** A room imports one beside it or above it. */
  | 'upward-arrow'
  /** A room imports another past its index.ts. */
  | 'past-the-index'
  /** A folder in the server's source that is not among the rooms. */
  | 'unknown-room'
  /** A workspace imports one that it may not know. */
  | 'package-arrow'
  /** A workspace imports another past what that one exports. */
  | 'past-the-package'
  /** Code that is delivered imports a test or what tests share. */
  | 'test-code'
  /** Files that import each other in a circle. */
  | 'cycle';

export interface Violation {
  readonly rule: RuleName;
  /** `file:line` where it stands. */
  readonly where: string;
  readonly text: string;
}

/** All imports that break the arrows of the house, sorted by place. */
export function checkBoundaries(modules: readonly Module[]): readonly Violation[] {
  const single = modules.flatMap((module) =>
    module.imports.flatMap((entry) => {
      const found = checkImport(module.path, entry);
      return found === undefined ? [] : [{ ...found, where: `${module.path}:${entry.line}` }];
    }),
  );
  return [...single, ...cyclesOf(modules)].sort((one, other) => one.where.localeCompare(other.where));
}

function checkImport(from: string, entry: Import): Omit<Violation, 'where'> | undefined {
  const { target } = entry;
  if (target === undefined) return undefined;
  if (entry.isMissing) return { rule: 'missing-file', text: `${entry.specifier} is not there` };
  if (isFree(from)) return undefined;
  if (!isTest(from) && (isTest(target) || isFree(target))) {
    return { rule: 'test-code', text: `${target} is for tests only` };
  }
  if (isFree(target)) return undefined;
  const source = workspaceOf(from);
  const destination = workspaceOf(target);
  if (source !== destination) return checkPackage({ from, source, target, destination, entry });
  return checkRoom(from, target);
}

interface PackageImport {
  readonly from: string;
  readonly source: string | undefined;
  readonly target: string;
  readonly destination: string | undefined;
  readonly entry: Import;
}

function checkPackage(options: PackageImport): Omit<Violation, 'where'> | undefined {
  const { from, source, target, destination, entry } = options;
  if (destination === undefined) return undefined;
  const allowed = source === undefined ? [] : (PACKAGES[source] ?? []);
  if (!isTest(from) && source !== undefined && !allowed.includes(destination)) {
    return { rule: 'package-arrow', text: `${source} may not import ${destination}` };
  }
  if (entry.specifier.startsWith('.') && !isTest(from)) {
    return { rule: 'past-the-package', text: `import ${target} by the name of its package` };
  }
  return undefined;
}

function checkRoom(from: string, target: string): Omit<Violation, 'where'> | undefined {
  const source = roomOf(from);
  const destination = roomOf(target);
  if (source === destination || destination === undefined) return undefined;
  const below = levelOf(destination);
  if (below === undefined) {
    return {
      rule: 'unknown-room',
      text: `${destination} is not among the rooms of scripts/boundaries/rooms.ts`,
    };
  }
  if (source !== undefined) {
    const level = levelOf(source);
    if (level === undefined) {
      return {
        rule: 'unknown-room',
        text: `${source} is not among the rooms of scripts/boundaries/rooms.ts`,
      };
    }
    if (isTest(from) ? level > below : level >= below)
      return { rule: 'upward-arrow', text: `${source} may not import ${destination}` };
  }
  if (target !== `${SERVER_SOURCE}/${destination}/index.ts` && !SIDE_DOORS.includes(target)) {
    return { rule: 'past-the-index', text: `import ${destination} through its index.ts, not ${target}` };
  }
  return undefined;
}

function cyclesOf(modules: readonly Module[]): readonly Violation[] {
  const graph = new Map(
    modules.map(({ path, imports }) => [path, imports.flatMap(({ target }) => target ?? [])] as const),
  );
  return findCycles(graph).map((group) => {
    const files = [...group].sort();
    return {
      rule: 'cycle',
      where: `${files[0]}:1`,
      text: `these files import each other in a circle: ${files.join(', ')}`,
    };
  });
}

function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path);
}

function isFree(path: string): boolean {
  return FREE_FOLDERS.some((folder) => path.startsWith(`${folder}/`));
}

function workspaceOf(path: string): string | undefined {
  return Object.keys(PACKAGES).find((folder) => path.startsWith(`${folder}/`));
}

/** The room of a file in the server's source; main.ts and what else lies beside the rooms are in none, and may import all. */
function roomOf(path: string): string | undefined {
  if (!path.startsWith(`${SERVER_SOURCE}/`)) return undefined;
  const [room, file] = path.slice(SERVER_SOURCE.length + 1).split('/');
  return file === undefined ? undefined : room;
}

function levelOf(room: string): number | undefined {
  const level = ROOMS.findIndex((rooms) => rooms.includes(room));
  return level === -1 ? undefined : level;
}
