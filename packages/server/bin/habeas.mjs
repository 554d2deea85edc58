#!/usr/bin/env node
// The command `habeas`. In a checkout of the project, a Node that is too old hands over to the pinned one.
import { existsSync } from 'node:fs';
// As a whole: an old Node, which only hands over, does not have all of it.
import * as modules from 'node:module';
import { fileURLToPath } from 'node:url';
import { runInOurPlace } from './in-our-place.mjs';
import { isNewEnough, OLDEST_NODE } from './node-version.mjs';

const name = process.platform === 'win32' ? 'node.exe' : 'node';
const pinned = fileURLToPath(new URL(`../../../node_modules/node/bin/${name}`, import.meta.url));

if (isNewEnough(process.versions.node)) {
  // Compiled code is kept where only those who may change the program can write; if that cannot be, it starts slower.
  if (process.env.NODE_COMPILE_CACHE === undefined)
    modules.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/habeas', import.meta.url)));
  const { run } = await import('../src/command.ts');
  await run();
} else if (existsSync(pinned)) {
  await runInOurPlace(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
} else {
  process.stderr.write(
    `habeas needs Node ${OLDEST_NODE} or newer; this is ${process.version}. In a checkout of the project, npm start fetches one.\n`,
  );
  process.exit(1);
}
