// Writes src/pd/gen from proto/. `--baseline` also makes the present contract the one that later ones must be compatible with:
// run it at a release, never to silence `buf breaking`.
import { join } from 'node:path';
import { baseline, buf, contractFolder, generate } from './buf.mjs';

generate(join(contractFolder, 'src', 'pd', 'gen'));
if (process.argv.includes('--baseline')) {
  buf('build', '--as-file-descriptor-set', '--exclude-source-info', '-o', baseline);
}
