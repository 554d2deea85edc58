import { expect, test } from 'vitest';
import { parseDatasets } from '../../catalog/index.ts';
import { compileObjects } from './compile-objects.ts';
import { objectsByName } from './name-objects.ts';
import type { ObjectStore } from './object-store.ts';

const DATASET = `
dataset:
  - fides_key: lake
    collections:
      - name: avatars
        habeas: { on_erase: delete, objects: { key: "avatars/{user_id}_{size:digits}.*" } }
        fields:
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
`;

const { collections } = compileObjects({
  datasets: parseDatasets(DATASET, 'lake.yml'),
  keepRules: [],
  now: new Date(0),
});

/** A listing without an end. */
const endless: Pick<ObjectStore, 'versions'> = {
  async *versions(prefix) {
    for (let number = 0; ; number += 1) {
      const about = { id: 'null', etag: '', size: 1, modifiedAt: new Date(0), isArchived: false };
      yield {
        ...about,
        key: `${prefix}${number}_x_64.png`,
        isLatest: number % 2 === 0,
        isMarker: number % 3 === 0,
      };
    }
  },
};

test('names are given while the store is listed, each in every way in which it can be read', async () => {
  const names = [];
  for await (const { name, readings, isHidden } of objectsByName(
    endless,
    collections,
    new AbortController().signal,
  )) {
    names.push({ name, readings, isHidden });
    if (names.length === 3) break;
  }
  expect(names).toEqual([
    { name: 'avatars/1_x_64.png', readings: [['1_x']], isHidden: true },
    { name: 'avatars/2_x_64.png', readings: [['2_x']], isHidden: false },
    { name: 'avatars/4_x_64.png', readings: [['4_x']], isHidden: false },
  ]);
});

test('a listing that nobody waits for any more ends', async () => {
  const ending = new AbortController();
  const reading = (async () => {
    let count = 0;
    for await (const _ of objectsByName(endless, collections, ending.signal)) {
      count += 1;
      if (count === 10) ending.abort(new Error('enough'));
    }
  })();
  await expect(reading).rejects.toThrow('enough');
});
