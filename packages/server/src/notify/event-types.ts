/** Whether the type of an event fits a pattern: the type itself, `map.*` for all that begin with `map.`, or `*`. */
export function fitsType(pattern: string, type: string): boolean {
  if (pattern === '*' || pattern === type) return true;
  return pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1));
}

/** The same as a pattern of SQL's LIKE. */
export function likePattern(pattern: string): string {
  const literal = pattern.replace(/\*$/, '').replace(/[\\%_]/g, '\\$&');
  return pattern.endsWith('*') ? `${literal}%` : literal;
}
