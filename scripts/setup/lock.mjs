import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './say.mjs';

const POLL_MILLISECONDS = 100;
const BEAT_MILLISECONDS = 2_000;
/** A holder that has not touched its lock for so long is gone, even if a process has its id by now. */
const DEAD_MILLISECONDS = 300_000;

/**
 * Runs `act` while no other process holds the lock file. The holder touches the file while it works; the lock of one that
 * was killed is taken over. `act` is given a function that adds a process to the holders: npm goes on when we are killed,
 * and the next start must not come in its way. (Plain files, because any Node 18 must do.)
 */
export async function withLock(file, act) {
  mkdirSync(dirname(file), { recursive: true });
  let told = false;
  while (!take(file)) {
    const dead = deadHolder(file);
    if (dead !== undefined) {
      removeDead(file, dead);
      continue;
    }
    if (!told) say('another start prepares the project; waiting for it');
    told = true;
    await sleep(POLL_MILLISECONDS);
  }
  const beat = setInterval(() => touch(file), BEAT_MILLISECONDS);
  try {
    return await act((pid) => appendFileSync(file, ` ${pid}`));
  } finally {
    clearInterval(beat);
    rmSync(file, { force: true });
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** What the lock of a holder that is gone says; undefined when its holder lives. */
function deadHolder(file) {
  const text = unlessMissing(() => readFileSync(file, 'utf8'));
  const age = unlessMissing(() => Date.now() - statSync(file).mtimeMs);
  if (text === undefined || age === undefined) return undefined;
  if (age > DEAD_MILLISECONDS) return text;
  // Created, and not yet written.
  if (text === '') return undefined;
  return text.split(' ').some((pid) => isRunning(Number(pid))) ? undefined : text;
}

function isRunning(pid) {
  // A process that has ended and was not yet reaped still takes signals. (Linux only; elsewhere there is no such file)
  const stat = unlessMissing(() => readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? '';
  if (stat.slice(stat.lastIndexOf(')')).startsWith(') Z')) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

/** Moving the file away is what only one of several waiting processes can do; one that moved a living lock puts it back. */
function removeDead(file, text) {
  const aside = `${file}.${process.pid}`;
  unlessMissing(() => {
    renameSync(file, aside);
    if (readFileSync(aside, 'utf8') !== text) renameSync(aside, file);
    else rmSync(aside);
  });
}

function touch(file) {
  unlessMissing(() => utimesSync(file, new Date(), new Date()));
}

function unlessMissing(act) {
  try {
    return act();
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
