/** A name that somebody else chose, without characters that turn the direction of others or cannot be seen. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/gu, '\ufffd');
}

/** At most so many characters of a text that has no room for more. */
export function short(text: string, longest: number): string {
  const characters = [...text.slice(0, 2 * longest + 2)];
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : text;
}
