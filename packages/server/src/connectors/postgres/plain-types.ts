const PLAIN: ReadonlySet<string> = new Set(['smallint', 'integer', 'bigint', 'uuid']);

/** Whether values of a type read the same alone and in an array, without quotes, and so need not become text on the way. */
export function isPlain(type: string): boolean {
  return PLAIN.has(type);
}
