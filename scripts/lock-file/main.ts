// node scripts/lock-file/main.ts: adds the packages of other systems to package-lock.json that npm left out of it.
//
// npm leaves an optional package out of the lock file when the registry that it asked does not have it, as mirrors often
// do for systems other than their own. `npm ci` then refuses the file, and on those systems the program would be missing.
// All that npm needs to know of such a package is its version and the systems that it is for, which its name says.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LockFile, missingOptionalPackages } from './optional-packages.ts';

const file = join(import.meta.dirname, '..', '..', 'package-lock.json');
const lock: LockFile = JSON.parse(readFileSync(file, 'utf8'));
const missing = missingOptionalPackages(lock);
const packages = Object.entries({ ...lock.packages, ...missing }).sort(([one], [other]) =>
  one < other ? -1 : 1,
);
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`);
console.log(`${Object.keys(missing).length} packages of other systems added to package-lock.json`);
