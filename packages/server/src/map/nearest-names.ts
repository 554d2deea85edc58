/** Names that somebody may have meant, nearest first: few letters away, or with the text inside. */
export function nearestNames(text: string, names: Iterable<string>, most = 3): readonly string[] {
  const wanted = text.toLowerCase();
  const farthest = Math.max(2, Math.floor(wanted.length / 3));
  const near: { readonly name: string; readonly distance: number }[] = [];
  for (const name of names) {
    const candidate = name.toLowerCase();
    const inside = wanted.length > 1 && (candidate.includes(wanted) || wanted.includes(candidate));
    const distance = inside ? 1 : editDistance(wanted, candidate, farthest);
    if (distance <= farthest) near.push({ name, distance });
  }
  return near
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name);
}

/** Letters to add, leave out or replace (Levenshtein 1966); more than `most` counts as infinitely many. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return Number.POSITIVE_INFINITY;
  let before = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (before[column - 1] ?? 0) + Number(a[row - 1] !== b[column - 1]);
      current.push(Math.min(replaced, (before[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    before = current;
  }
  return before[b.length] ?? Number.POSITIVE_INFINITY;
}
