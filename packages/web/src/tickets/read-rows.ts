export type Rows = Record<string, Record<string, unknown>[]>;

/**
 * What a team hands over: JSON of rows by collection, a JSON list of rows, or JSON lines; a list is called as its file is. Throws
 * an Error that says what is wrong, and never quotes the file: it is about people.
 */
export function readRows(name: string, text: string): Rows {
  const whole = parsed(text);
  const lines = () => text.split('\n').filter((line) => line.trim() !== '');
  const value = whole ?? lines().map((line, index) => parsed(line) ?? fail(`Line ${index + 1} is not JSON`));
  if (isRow(value) && Object.values(value).every(Array.isArray))
    return Object.fromEntries(Object.entries(value).map(([key, rows]) => [key, rowsOf(key, rows)]));
  const collection = name.replace(/\.[a-z]+$/i, '').slice(0, 100) || 'rows';
  return { [collection]: rowsOf(collection, isRow(value) ? [value] : value) };
}

function rowsOf(collection: string, rows: unknown): Record<string, unknown>[] {
  if (!Array.isArray(rows)) return fail('The file holds neither rows nor collections of rows');
  const wrong = rows.findIndex((row) => !isRow(row));
  if (wrong >= 0) return fail(`Row ${wrong + 1} of ${collection} is not an object`);
  return rows;
}

function isRow(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fail(what: string): never {
  throw new Error(`${what}. Hand over JSON: rows by collection, a list of rows, or one row a line.`);
}
