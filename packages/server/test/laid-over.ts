import { parse, stringify } from 'yaml';

export interface Settings {
  readonly [name: string]: Settings | readonly unknown[] | string | number | null;
}

/** Settings with others over them: sections are put together, everything else is replaced. */
export function laidOver(under: Settings, over: Settings): Settings {
  const merged: Record<string, Settings[string]> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const below = under[name];
    merged[name] = isSettings(below) && isSettings(value) ? laidOver(below, value) : value;
  }
  return merged;
}

/** The same of two configurations as texts. */
export function yamlLaidOver(under: string, over: string): string {
  return stringify(laidOver(parse(under) ?? {}, parse(over) ?? {}));
}

function isSettings(value: Settings[string] | undefined): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
