import { isDeepStrictEqual } from 'node:util';

interface Document {
  components?: { schemas?: Record<string, unknown> };
}

const PREFIX = '#/components/schemas/';
const SUFFIX = 'Input';

/**
 * One component for each type that operations use. The generator makes two of each (`Identity` as it is sent and
 * `IdentityInput` as it is received) and lists all that exist; where both are the same, one is left, and what no
 * operation reaches goes away.
 */
export function tidyComponents<Doc extends Document>(document: Doc): Doc {
  const schemas = document.components?.schemas ?? {};
  const same = new Map<string, string>();
  // A pair can become equal after the pairs that it refers to were merged, so this goes on until nothing changes.
  for (let found = true; found; ) {
    found = false;
    for (const [name, schema] of Object.entries(schemas)) {
      const output = name.endsWith(SUFFIX) ? withoutSuffix(name) : undefined;
      if (output === undefined || same.has(name) || schemas[output] === undefined) continue;
      if (isDeepStrictEqual(rename(schema, same), rename(schemas[output], same))) {
        same.set(name, output);
        found = true;
      }
    }
  }
  const merged = keepUsed(rename(document, same) as Doc);
  const left = merged.components?.schemas ?? {};
  // What is only ever received has no twin left, and needs no suffix to tell them apart.
  const plain = new Map(
    Object.keys(left)
      .filter((name) => name.endsWith(SUFFIX) && left[withoutSuffix(name)] === undefined)
      .map((name) => [name, withoutSuffix(name)]),
  );
  const renamed = rename(merged, plain) as Doc;
  const named = Object.entries(renamed.components?.schemas ?? {})
    .map(([name, schema]) => [plain.get(name) ?? name, schema] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...renamed, components: { ...renamed.components, schemas: Object.fromEntries(named) } };
}

function keepUsed<Doc extends Document>(document: Doc): Doc {
  const used = reachable(document);
  const kept = Object.entries(document.components?.schemas ?? {}).filter(([name]) => used.has(name));
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(kept) } };
}

function withoutSuffix(name: string): string {
  return name.slice(0, -SUFFIX.length);
}

function rename(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((entry) => rename(entry, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const name = key === '$ref' ? referenced(member) : undefined;
      return [key, name === undefined ? rename(member, names) : `${PREFIX}${names.get(name) ?? name}`];
    }),
  );
}

function reachable(document: Document): ReadonlySet<string> {
  const { components, ...rest } = document;
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        const name = key === '$ref' ? referenced(member) : undefined;
        if (name === undefined) visit(member);
        else if (!found.has(name)) {
          found.add(name);
          visit(components?.schemas?.[name]);
        }
      }
    }
  };
  visit(rest);
  return found;
}

function referenced(value: unknown): string | undefined {
  return typeof value === 'string' && value.startsWith(PREFIX) ? value.slice(PREFIX.length) : undefined;
}
