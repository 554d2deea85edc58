export type Path = readonly (string | number)[];

/** Paths to all in a JSON value that is no object and no list. */
export function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]));
}

/** The value with one letter, number or answer in it changed. */
export function tamper(
  value: unknown,
  path: Path,
  how: {
    /** Which letter of a text. */
    readonly position: number;
    /** 1 to 255: what is added to a number, or how the letter differs. */
    readonly change: number;
  },
): unknown {
  const [key, ...rest] = path;
  if (key !== undefined && typeof value === 'object' && value !== null) {
    const member = Object.entries(value).find(([name]) => name === String(key))?.[1];
    const copy = Array.isArray(value) ? [...value] : { ...value };
    return Object.assign(copy, { [key]: tamper(member, rest, how) });
  }
  if (typeof value === 'number') return value + how.change;
  if (typeof value === 'boolean') return !value;
  if (typeof value !== 'string' || value.length === 0) return String(how.change);
  const at = how.position % value.length;
  return value.slice(0, at) + String.fromCharCode(value.charCodeAt(at) ^ how.change) + value.slice(at + 1);
}
