import { delimiter, dirname, join } from 'node:path';
import { runInOurPlace } from '../../packages/server/bin/in-our-place.mjs';
import { root } from './prepare.mjs';

/** Runs a program of the project on the pinned Node in our place. */
export function handOver(node, args) {
  return runInOurPlace(node, args, { cwd: root, env: environmentFor(node) });
}

/** What the project's programs start must be the pinned Node and the project's tools, too. */
export function environmentFor(node) {
  const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  return { ...process.env, PATH: path };
}
