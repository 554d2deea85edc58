import { execFileSync, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { HabeasError } from '../errors.ts';

/** Who the server's processes run as; without ids they run as this process does. */
export interface ServerAccount {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * The group of the server when Habeas runs as root. Folders above the data are open to this group alone, so that other
 * programs that also run as `nobody` reach neither the data nor the socket. The number lies in a range that no
 * distribution gives to anyone (Debian Policy 9.2.2: 65000 to 65533 are reserved).
 */
export const SERVER_GROUP = 65_311;

export function runsAsRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * PostgreSQL refuses to run as root. Then its processes run as whoever owns the data already, else as `nobody`, which
 * every system has; no account is made. Anyone else runs the server under their own name.
 */
export function serverAccount(data: string): ServerAccount {
  if (!runsAsRoot()) return {};
  const owner = statSync(data, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return { uid: idOfNobody(), gid: SERVER_GROUP };
}

function idOfNobody(): number {
  try {
    return Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
  } catch (cause) {
    throw new HabeasError(
      'EMBEDDED_DATABASE_FAILED',
      'PostgreSQL does not run as root, and this system has no user `nobody` to run it. Start Habeas as another user, or set DATABASE_URL.',
      { cause },
    );
  }
}

/** Whether the server's processes could enter this folder. Asked of the system itself, which also knows ACLs and mounts. */
export function canEnter(folder: string, account: ServerAccount): boolean {
  if (account.uid === undefined) return true;
  return (
    spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { ...account, cwd: '/', stdio: 'ignore' })
      .status === 0
  );
}

/** The environment of the server's processes: nothing of ours, so that neither secrets nor PG* variables reach them. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' };
}
