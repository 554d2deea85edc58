import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { failure } from './failure.ts';
import { canEnter, runsAsRoot, SERVER_GROUP, type ServerAccount, serverAccount } from './server-account.ts';

/** Where one embedded server keeps its files, and who it runs as. */
export interface Place {
  /** Open to the server's account and to no one else; all of the following lie in it. */
  readonly folder: string;
  /** PostgreSQL's own data directory. */
  readonly data: string;
  readonly log: string;
  readonly lock: string;
  /** One file per process that uses the server. */
  readonly users: string;
  readonly account: ServerAccount;
}

/** The socket's name in its folder; the port is part of the name and means nothing else. */
export const SOCKET_PORT = 5432;

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, the last one a zero. */
const LONGEST_SOCKET_PATH = 103;

/** In `postgres/` of the data folder when the data had to be kept elsewhere: names that folder. */
const POINTER = 'elsewhere.json';

/**
 * `<dataDir>/postgres`, or a folder elsewhere when the server's account cannot get there (a project in /root, mode 0700) or
 * when the file system keeps no modes (a Windows disk seen from WSL). The choice is written down and stays the same.
 */
export function findPlace(options: {
  readonly dataDir: string;
  readonly onProgress: (line: string) => void;
}): Place {
  mkdirSync(options.dataDir, { recursive: true });
  const near = join(realpathSync(options.dataDir), 'postgres');
  if (existsSync(join(near, 'data'))) {
    const place = placeIn(near);
    if (canEnter(near, place.account)) return place;
    throw failure(
      `The embedded database lies in ${near}, and its owner (uid ${place.account.uid}) can no longer enter that folder. Give the folders above it their execute bit back (chmod o+x), or set DATABASE_URL.`,
    );
  }
  const far = readPointer(near);
  if (far !== undefined) return placeIn(far);
  prepareFolder(near, serverAccount(join(near, 'data')));
  const reason = reasonAgainst(near);
  if (reason === undefined) return placeIn(near);
  const chosen = prepareElsewhere(near, reason);
  writeFileSync(join(near, POINTER), `${JSON.stringify({ folder: chosen })}\n`);
  options.onProgress(`${reason}; the database is kept in ${chosen} instead`);
  return placeIn(chosen);
}

/** A folder for the server's socket, on a path that is short enough for one and that nobody else can enter. */
export function prepareSocketFolder(place: Place): string {
  const near = join(place.folder, 'socket');
  if (fitsSocket(near)) {
    prepareSharedFolder(near, place.account);
    return near;
  }
  const roots = [tmpdir(), '/tmp'].filter((root) => canEnter(root, place.account));
  for (const root of roots) {
    const short = join(root, `habeas-${hashOf(place.folder)}`);
    if (!fitsSocket(short)) continue;
    prepareSharedFolder(short, place.account);
    if (isOurs(short, place.account)) return short;
    // Someone else made a folder of this name in the common temporary folder; ours gets a name that cannot be known before.
    const unknown = mkdtempSync(`${short}-`);
    share(unknown, place.account);
    return unknown;
  }
  throw failure(
    'There is no folder with a path short enough for a Unix socket. Set TMPDIR to a short one such as /tmp.',
  );
}

/** Gives a file that root made to the owner of the place, so that the owner can use it in a later start without root. */
export function giveToOwner(place: Place, path: string): void {
  if (!runsAsRoot()) return;
  const owner = statSync(place.folder);
  if (owner.uid !== 0) chownSync(path, owner.uid, owner.gid);
}

function placeIn(folder: string): Place {
  const data = join(folder, 'data');
  if (!existsSync(folder)) {
    throw failure(
      `The embedded database was kept in ${folder}, and that folder is gone. Put it back, or delete the file ${POINTER} in the data folder to begin with an empty database.`,
    );
  }
  const owner = statSync(folder).uid;
  if (!runsAsRoot() && process.getuid !== undefined && owner !== process.getuid()) {
    throw failure(
      `The embedded database in ${folder} belongs to another user (uid ${owner}). Start Habeas as that user, or set DATABASE_URL.`,
    );
  }
  return {
    folder,
    data,
    log: join(folder, 'server.log'),
    lock: join(folder, 'lock'),
    users: join(folder, 'users'),
    account: serverAccount(data),
  };
}

function readPointer(near: string): string | undefined {
  const file = join(near, POINTER);
  if (!existsSync(file)) return undefined;
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (
    typeof content === 'object' &&
    content !== null &&
    'folder' in content &&
    typeof content.folder === 'string'
  ) {
    return content.folder;
  }
  throw failure(`${file} does not name a folder. Restore it from a backup.`);
}

function reasonAgainst(folder: string): string | undefined {
  if (!canEnter(folder, serverAccount(join(folder, 'data')))) {
    return `PostgreSQL does not run as root, and no other user can enter ${dirname(folder)}`;
  }
  if (process.platform !== 'win32' && (statSync(folder).mode & 0o007) !== 0) {
    return `The file system of ${folder} keeps no access modes`;
  }
  return undefined;
}

function prepareElsewhere(near: string, reason: string): string {
  const parents = runsAsRoot()
    ? ['/var/lib', '/usr/local/var', '/opt']
    : [process.env.XDG_STATE_HOME ?? join(homedir(), '.local/state')];
  if (!runsAsRoot()) for (const parent of parents) mkdirSync(parent, { recursive: true });
  for (const parent of parents.filter((path) => existsSync(path))) {
    const folder = join(parent, `habeas-${hashOf(near)}`);
    prepareFolder(folder, serverAccount(join(folder, 'data')));
    if (reasonAgainst(folder) === undefined) return folder;
  }
  throw failure(
    `${reason}, and neither can it use ${parents.join(' or ')}. Start Habeas as another user, in another folder, or set DATABASE_URL.`,
  );
}

/** The server may pass through, and only it. */
function prepareFolder(folder: string, account: ServerAccount): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (account.gid === undefined) return;
  if (statSync(folder).uid !== 0) return;
  chownSync(folder, 0, account.gid);
  chmodSync(folder, 0o710);
}

/** Made if it is missing; the server may also make files in it. */
function prepareSharedFolder(folder: string, account: ServerAccount): void {
  if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) share(folder, account);
}

function share(folder: string, account: ServerAccount): void {
  if (account.gid === undefined) return;
  const shared = sharedBy(account);
  chownSync(folder, shared.uid, account.gid);
  chmodSync(folder, shared.mode);
}

function isOurs(folder: string, account: ServerAccount): boolean {
  const found = lstatSync(folder);
  const shared = sharedBy(account);
  return found.isDirectory() && found.uid === shared.uid && (found.mode & 0o777) === shared.mode;
}

function sharedBy(account: ServerAccount): { readonly uid: number; readonly mode: number } {
  if (account.gid === SERVER_GROUP) return { uid: 0, mode: 0o770 };
  return { uid: account.uid ?? process.getuid?.() ?? 0, mode: 0o700 };
}

function fitsSocket(folder: string): boolean {
  return Buffer.byteLength(join(folder, `.s.PGSQL.${SOCKET_PORT}`)) <= LONGEST_SOCKET_PATH;
}

function hashOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12);
}
