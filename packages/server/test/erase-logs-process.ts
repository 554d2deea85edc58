/** Erases a person's lines from `app.log*` of a folder, again and again; a word is written before each time and after it. */
import { eraseAnn } from './ann-logs.ts';

const [root = '', turns = '1'] = process.argv.slice(2);
for (let turn = 0; turn < Number(turns); turn += 1) {
  process.stdout.write('begin\n');
  await eraseAnn(root);
  process.stdout.write('end\n');
}
