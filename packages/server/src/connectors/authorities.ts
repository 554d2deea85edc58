import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { HabeasError } from '../foundation/index.ts';

/** `options.ca` of a connection: authorities to trust instead of those that Node.js knows; PEM. Throws CONFIG_INVALID. */
export function authoritiesOf({
  key,
  folder,
  ca,
  page,
}: {
  readonly key: string;
  /** Where the configuration lies. */
  readonly folder: string;
  /** Relative to it. */
  readonly ca: string | undefined;
  /** Of the documentation. */
  readonly page: string;
}): string | undefined {
  if (ca === undefined) return undefined;
  const file = resolve(folder, ca);
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new HabeasError(
      'CONFIG_INVALID',
      `The connection ${key} cannot be used. \`options.ca\`: ${file} cannot be read. See docs/${page}.`,
    );
  }
}
