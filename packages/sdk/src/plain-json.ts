/**
 * A row as JSON without loss: what JSON has no word for becomes text. `bigint` → decimal digits, `Date` → RFC 3339, bytes → base64,
 * numbers that are not finite → their name; `undefined` and functions are left out. Throws a TypeError for cycles.
 */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, given) {
    // JSON.stringify calls toJSON first, which for bytes is an array of numbers.
    const original: unknown = this[key];
    if (original instanceof Uint8Array) return Buffer.from(original).toString('base64');
    if (typeof given === 'bigint') return given.toString();
    if (typeof given === 'number' && !Number.isFinite(given)) return String(given);
    if (given instanceof Map) return Object.fromEntries(given);
    if (given instanceof Set) return [...given];
    return given;
  });
}
