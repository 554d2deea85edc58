/** A name as SQL, whatever the session calls a string. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A text as SQL, whatever the session takes for an escape. */
export function quoteText(text: string): string {
  return text === '' ? `_utf8mb4''` : `_utf8mb4 0x${Buffer.from(text, 'utf8').toString('hex')}`;
}

/** Texts that are compared letter by letter, with the spaces at their ends. */
export const EXACT = 'character set utf8mb4 collate utf8mb4_nopad_bin';
