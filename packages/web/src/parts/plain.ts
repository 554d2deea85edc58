/** A name that somebody else chose, without characters that turn the direction of others or cannot be seen. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/gu, '\ufffd');
}
