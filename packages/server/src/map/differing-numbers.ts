/**
 * What is in one of two sets of numbers alone, ascending. Takes both ascending; a number may be there more than once. Ten thousand of
 * each are compared faster as sorted arrays than as sets.
 */
export function differingNumbers(one: Int32Array, other: Int32Array): Int32Array {
  const differing = new Int32Array(one.length + other.length);
  let [count, left, right] = [0, 0, 0];
  while (left < one.length || right < other.length) {
    const number = Math.min(one[left] ?? Infinity, other[right] ?? Infinity);
    if (one[left] !== other[right]) differing[count++] = number;
    while (one[left] === number) left += 1;
    while (other[right] === number) right += 1;
  }
  return differing.subarray(0, count);
}
