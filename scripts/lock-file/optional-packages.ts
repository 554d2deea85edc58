const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
];
const OTHER_NAMES: Readonly<Record<string, string>> = { windows: 'win32', armv7: 'arm', wasm: 'wasm32' };

/** What is read of a package-lock.json. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The entries that a lock file lacks for packages that one of its packages names as optional. */
export function missingOptionalPackages(lock: LockFile): Readonly<Record<string, LockEntry>> {
  const found: Record<string, LockEntry> = {};
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const isThere = placesOf(path, name).some((place) => lock.packages[place] !== undefined);
      if (!isThere) found[`node_modules/${name}`] = entryFor(name, range, entry);
    }
  }
  return found;
}

/** Where Node would find a package that is asked for from a place, from the nearest one on. */
function placesOf(path: string, name: string): readonly string[] {
  const parts = path.split('/node_modules/');
  const nested = parts.map(
    (_, index) => `${parts.slice(0, index + 1).join('/node_modules/')}/node_modules/${name}`,
  );
  return [...nested, `node_modules/${name}`];
}

function entryFor(name: string, range: string, parent: LockEntry): LockEntry {
  const words = name
    .slice(name.lastIndexOf('/') + 1)
    .split('-')
    .map((word) => OTHER_NAMES[word] ?? word);
  const among = (list: readonly string[]) => list.filter((value) => words.includes(value));
  const os = among(SYSTEMS);
  const cpu = among(PROCESSORS);
  if (os.length === 0 && cpu.length === 0) {
    throw new Error(
      `${name} is missing in package-lock.json, and its name tells no system. Add it with npm install.`,
    );
  }
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : [];
  return {
    version: range.replace(/^[\^~]/, ''),
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(parent.dev ? { dev: true } : {}),
    ...(libc.length > 0 ? { libc } : {}),
    optional: true,
    ...(os.length > 0 ? { os } : {}),
  };
}
