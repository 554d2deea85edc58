import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type * as z from 'zod';
import { HabeasError } from '../errors.ts';
import { expandVariables } from './expand-variables.ts';
import { type Config, configSchema } from './schema.ts';
import { fromZodError, parseYamlWithPlaces } from './yaml-with-places.ts';

export const CONFIG_FILE = 'habeas.yaml';

/** Reads and checks the configuration. `file` that does not exist is an error; without `file`, `habeas.yaml` in the folder is optional. */
export function loadConfig(options: {
  readonly file?: string | undefined;
  readonly folder?: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Reads these parts alone, so that no variable of another part has to be set; the others are as by default. (Default: all) */
  readonly only?: readonly ConfigPart[];
}): Config {
  const folder = options.folder ?? process.cwd();
  const file = resolve(folder, options.file ?? CONFIG_FILE);
  if (!existsSync(file)) {
    if (options.file === undefined) return { ...configSchema.parse({}), file: undefined, folder };
    throw new HabeasError(
      'CONFIG_INVALID',
      `There is no configuration at ${file}. Make one with \`habeas init\`.`,
      { place: { file } },
    );
  }
  const { environment, only } = options;
  return parseConfig({ text: readFileSync(file, 'utf8'), file, environment, only });
}

export type ConfigPart = keyof z.output<typeof configSchema>;

export function parseConfig(options: {
  readonly text: string;
  readonly file: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly only?: readonly ConfigPart[] | undefined;
}): Config {
  const { value, placeOf } = parseYamlWithPlaces(options.text, options.file, 'CONFIG_INVALID');
  const expanded = expandVariables(partsOf(value, options.only), {
    environment: options.environment,
    path: [],
    placeOf,
  });
  const result = configSchema.safeParse(expanded ?? {});
  if (!result.success) throw fromZodError(result.error, { code: 'CONFIG_INVALID', placeOf });
  return { ...result.data, file: options.file, folder: dirname(options.file) };
}

function partsOf(value: unknown, only: readonly ConfigPart[] | undefined): unknown {
  if (only === undefined || typeof value !== 'object' || value === null) return value;
  const wanted: ReadonlySet<string> = new Set(only);
  return Object.fromEntries(Object.entries(value).filter(([name]) => wanted.has(name)));
}
