import * as z from 'zod';

/** One key of a file that people write. */
export interface KeyRow {
  /** Such as `map.scrape[].url`. */
  readonly path: string;
  /** The default as YAML on one line; `required`, or undefined for a key that has neither. */
  readonly value: string | undefined;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

/** All keys that a schema takes, except objects whose keys are listed themselves. */
export function keysOfSchema(schema: z.ZodType): readonly KeyRow[] {
  return rows(z.toJSONSchema(schema, { io: 'input' }) as JsonSchema, '');
}

function rows(schema: JsonSchema, prefix: string): readonly KeyRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = `${prefix}${name}`;
    const required = schema.required?.includes(name) === true;
    const value = required ? 'required' : property.default === undefined ? undefined : yaml(property.default);
    const below = [...rows(property, `${path}.`), ...rows(property.items ?? {}, `${path}[].`)];
    return property.properties === undefined ? [{ path, value }, ...below] : below;
  });
}

function yaml(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The rows of every table of a page whose first columns are `key` and `default`; each first cell is a key in backticks. */
export function keysOfTables(text: string): readonly { readonly path: string; readonly shown: string }[] {
  const found: { path: string; shown: string }[] = [];
  let inside = false;
  for (const line of text.split('\n')) {
    const [first = '', second = ''] = line.startsWith('|')
      ? line
          .split('|')
          .slice(1)
          .map((cell) => cell.trim())
      : [];
    if (first === 'key' && second === 'default') inside = true;
    else if (!line.startsWith('|')) inside = false;
    else if (inside && !/^-+$/.test(first)) found.push({ path: first.replaceAll('`', ''), shown: second });
  }
  return found;
}
