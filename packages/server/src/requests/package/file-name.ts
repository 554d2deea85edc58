const LONGEST = 80;
/** Names that Windows gives to devices; a file of that name cannot be unpacked there. */
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/**
 * A name for a file or folder inside a package that every system can unpack: no separators, no control characters, no
 * leading or trailing dots, no device names. Different inputs may meet in one name; {@link uniqueNames} keeps them apart.
 */
export function safeFileName(text: string): string {
  const plain = text
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{N}._ -]/gu, '_')
    .replaceAll(/^[. ]+|[. ]+$/g, '_');
  const short = [...plain].slice(0, LONGEST).join('');
  return DEVICE.test(short) || short === '' ? `_${short}` : short;
}

/** Gives each text a safe name of its own; names differ even where case does not count. */
export function uniqueNames(): (text: string) => string {
  const byText = new Map<string, string>();
  const taken = new Set<string>();
  return (text) => {
    const known = byText.get(text);
    if (known !== undefined) return known;
    const base = safeFileName(text);
    let name = base;
    for (let number = 2; taken.has(name.toLowerCase()); number += 1) name = `${base}-${number}`;
    taken.add(name.toLowerCase());
    byText.set(text, name);
    return name;
  };
}
