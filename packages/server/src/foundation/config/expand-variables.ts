import { HabeasError } from '../errors.ts';
import { formatPlace, type PlaceOf } from './yaml-with-places.ts';

interface ExpandOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly path: readonly PropertyKey[];
  readonly placeOf: PlaceOf;
}

/** Puts environment variables in the place of `${NAME}`, in all texts of a value. */
export function expandVariables(value: unknown, options: ExpandOptions): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      const found = options.environment[name];
      if (found !== undefined) return found;
      const place = options.placeOf(options.path);
      throw new HabeasError(
        'CONFIG_INVALID',
        `${formatPlace(place)}: the environment variable ${name} is not set.`,
        { place },
      );
    });
  }
  const child = (part: PropertyKey): ExpandOptions => ({ ...options, path: [...options.path, part] });
  if (Array.isArray(value)) return value.map((entry, index) => expandVariables(entry, child(index)));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, entry]) => [name, expandVariables(entry, child(name))]),
    );
  }
  return value;
}
