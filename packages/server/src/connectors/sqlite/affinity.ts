/** What SQLite makes of the declared type of a column: https://www.sqlite.org/datatype3.html#determination_of_column_affinity. */
export type Affinity = 'integer' | 'text' | 'blob' | 'real' | 'numeric';

export function affinityOf(type: string): Affinity {
  if (/int/i.test(type)) return 'integer';
  if (/char|clob|text/i.test(type)) return 'text';
  if (/blob/i.test(type) || type === '') return 'blob';
  return /real|floa|doub/i.test(type) ? 'real' : 'numeric';
}
