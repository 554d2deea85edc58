/** `a = 1, b = 2`, after `set`. */
export function assigned(set: readonly (readonly [column: string, value: string])[]): string {
  return set.map(([column, value]) => `${column} = ${value}`).join(', ');
}
