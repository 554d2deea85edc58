import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { CanaryStore, StoreOptions } from '../canary-store.ts';

/** Pictures with thumbnails in two sizes, and photos that rows of the shop name. */
const DATASET = `
dataset:
  - fides_key: uploads
    collections:
      - name: avatars
        habeas: { on_erase: delete, files: { path: "avatars/{user_id}.jpg", derived: "thumbs/{stem}_{size:digits}.jpg" } }
        fields: [{ name: user_id, data_categories: [user.content.photo], fides_meta: { identity: user_id } }]
      - name: photos
        habeas: { on_erase: delete, files: { path: "photos/{file}.jpg", derived: "thumbs/photos/{stem}.jpg" } }
        fields:
          - name: file
            data_categories: [user.content.photo]
            fides_meta: { references: [{ dataset: shop, field: photos.file, direction: from }] }
`;

export async function openFilesStore({ folder, people }: StoreOptions): Promise<CanaryStore> {
  for (const name of ['avatars', 'photos', 'thumbs/photos'])
    mkdirSync(join(folder, name), { recursive: true });
  for (const { userId, mark } of people) {
    // As cameras write whose picture it is.
    const picture = (what: string) =>
      Buffer.from(`\u00ff\u00d8\u00ff\u00e1${what} by ${mark}\u00ff\u00d9`, 'latin1');
    writeFileSync(join(folder, 'avatars', `${userId}.jpg`), picture('picture'));
    for (const size of [64, 256])
      writeFileSync(join(folder, 'thumbs', `${userId}_${size}.jpg`), picture(`${size}`));
    writeFileSync(join(folder, 'photos', `p-${mark}.jpg`), picture('photo'));
    writeFileSync(join(folder, 'thumbs/photos', `p-${mark}.jpg`), picture('small photo'));
  }
  return {
    key: 'uploads',
    connection: { kind: 'files', url: `file://${folder}`, residuals: [{ copy: 'disk', for: '30d' }] },
    dataset: DATASET,
    async contents() {
      const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
      return new Map(
        entries.map((entry) => {
          const path = join(entry.parentPath, entry.name);
          return [relative(folder, path), entry.isFile() ? readFileSync(path, 'latin1') : 'a folder'];
        }),
      );
    },
    stop: async () => folder,
    copies: [],
    [Symbol.asyncDispose]: async () => undefined,
  };
}
