import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDatasets } from '../packages/server/src/catalog/index.ts';
import { loadConnectionKinds } from '../packages/server/src/connectors/index.ts';
import { systemClock } from '../packages/server/src/foundation/index.ts';
import type { Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { locateAlone } from './locate-alone.ts';
import { median, timed } from './statistics.ts';

const FOLDERS = 1_000;
const FILES_IN_FOLDER = 100;
const FILES_OF_PERSON = 50;
const PEOPLE = (FOLDERS * FILES_IN_FOLDER) / FILES_OF_PERSON;
const PERSON = 'u1017';
const RUNS = 9;

/** How long it takes to find one person's 50 files among 100,000. */
export const fileTree: Benchmark = {
  name: 'file-tree',
  about: "find one person's 50 files in a tree of 100,000",
  async run(bench) {
    const root = bench.folder('file-tree');
    bench.say(`making ${FOLDERS * FILES_IN_FOLDER} files`);
    for (let folder = 0; folder < FOLDERS; folder += 1) {
      const at = join(root, 'media', String(folder));
      mkdirSync(at, { recursive: true });
      for (let file = 0; file < FILES_IN_FOLDER; file += 1) {
        const n = folder * FILES_IN_FOLDER + file;
        writeFileSync(join(at, `u${n % PEOPLE}_${n}.jpg`), '');
      }
    }
    mkdirSync(join(root, 'own', PERSON), { recursive: true });
    for (let file = 0; file < FILES_OF_PERSON; file += 1)
      writeFileSync(join(root, 'own', PERSON, `${file}.jpg`), '');
    const open = async (path: string) => {
      const connections = [
        { key: 'media', kind: 'files', team: 'media', url: root, datasets: ['media.yml'], concurrency: 1 },
      ];
      const { files } = await loadConnectionKinds({ connections, folder: root });
      if (files === undefined) throw new Error('There is no connector of files.');
      const text = `dataset: [{ fides_key: media, collections: [{ name: media, habeas: { on_erase: delete, files: { path: "${path}" } }, fields: [{ name: user_id, data_categories: [user.content], fides_meta: { identity: user_id } }] }] }]`;
      const datasets = parseDatasets(text, 'media.yml');
      return files({
        key: 'media',
        url: root,
        folder: root,
        options: {},
        datasets,
        keepRules: [],
        clock: systemClock,
        connections: 1,
      });
    };
    const everywhere = await open('media/*/{user_id:word}_{n:digits}.jpg');
    const direct = await open('own/{user_id}/*');
    const identity = { type: 'user_id', value: PERSON };
    const find: number[] = [];
    const searched: number[] = [];
    const shortcut: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const byFind = await timed(async () =>
        spawnSync('find', [join(root, 'media'), '-type', 'f', '-name', `${PERSON}_*.jpg`], {
          encoding: 'utf8',
        }),
      );
      const bySearch = await timed(() => locateAlone(everywhere, identity));
      const byName = await timed(() => locateAlone(direct, identity));
      const counts = [byFind.result.stdout.trim().split('\n').length, bySearch.result, byName.result];
      if (counts.some((count) => count !== FILES_OF_PERSON))
        throw new Error(`They found ${counts.join(', ')} files.`);
      find.push(byFind.milliseconds);
      searched.push(bySearch.milliseconds);
      shortcut.push(byName.milliseconds);
    }
    const baseline = median(find);
    const against =
      'find(1) over the same tree with the same pattern of names, the start of its process with it';
    return [
      judge({
        name: 'file-tree-search',
        value: median(searched),
        unit: 'ms',
        baseline,
        goal: { ratio: 1.2 },
        measured: `the keys of ${FILES_OF_PERSON} files among ${FOLDERS * FILES_IN_FOLDER}, where every folder has to be read; median of ${RUNS}`,
        against,
      }),
      judge({
        name: 'file-tree-direct',
        value: median(shortcut),
        unit: 'ms',
        baseline,
        goal: { value: 50 },
        measured: `the keys of ${FILES_OF_PERSON} files where the person's path says where they are; median of ${RUNS}`,
        against,
      }),
    ];
  },
};
