/** What a Fideslang key may not have. */
const NOT_IN_KEYS = /[^a-zA-Z0-9_.<>-]+/g;

/** Words as a key of a taxonomy: `job applicants` → `job_applicants`. */
export function asFidesKey(text: string): string {
  return text.replaceAll(NOT_IN_KEYS, '_') || '_';
}

/** Gives each name a Fideslang key of its own: the name itself where it is one. `user` is a word of Fideslang. */
export function fidesKeys(names: readonly string[]): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  const taken = new Set(['user']);
  const plain = (name: string) => name !== '' && name.search(NOT_IN_KEYS) === -1;
  // Names that need no change come first, so that no other one takes theirs.
  const sorted = [...new Set(names)].sort((a, b) => Number(plain(b)) - Number(plain(a)) || (a < b ? -1 : 1));
  for (const name of sorted) {
    const base = asFidesKey(name);
    let key = base;
    for (let number = 2; taken.has(key); number += 1) key = `${base}_${number}`;
    taken.add(key);
    keys.set(name, key);
  }
  return keys;
}
