// Writes built/: the tag as browsers load it. The files are in git, so that a server that starts needs no bundler.
import { writeFileSync } from 'node:fs';
import { builtFolder, bundle, FILES } from './bundle.ts';

for (const name of FILES) writeFileSync(new URL(name, builtFolder), await bundle(name));
