import { Place } from '../files/erase-files.ts';
import type { OpenFolder } from '../files/open-root.ts';

/** The folders on the way to a file, held open, and the file's name in the last of them. */
export function placeOf(root: OpenFolder, path: string): { readonly place: Place; readonly name: string } {
  const [name = '', ...folders] = path.split('/').reverse();
  return { place: new Place(root, folders.reverse()), name };
}
