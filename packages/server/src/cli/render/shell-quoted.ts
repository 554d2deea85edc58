import { isUtf8 } from 'node:buffer';

const PLAIN = /^[\p{L}\p{M}\p{N}_@%+=:,./-]+$/u;
/** What moves the cursor, ends the line, or is not seen. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * Bytes as one word that a POSIX shell (2024: `$'…'`) reads as exactly these bytes, on one line and without control characters: a name can
 * neither move the cursor nor look like another line (CWE-150).
 */
export function shellQuoted(bytes: Buffer): string {
  if (!isUtf8(bytes)) return `$'${[...bytes].map(escapedByte).join('')}'`;
  const text = bytes.toString('utf8');
  if (PLAIN.test(text)) return text;
  if (!HIDDEN.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`;
  const escaped = [...text].map((character) =>
    HIDDEN.test(character)
      ? [...Buffer.from(character)].map(octal).join('')
      : character.replace(/['\\]/, '\\$&'),
  );
  return `$'${escaped.join('')}'`;
}

function escapedByte(byte: number): string {
  return byte < 0x20 || byte > 0x7e ? octal(byte) : String.fromCharCode(byte).replace(/['\\]/, '\\$&');
}

/** As octal digits, of which a shell reads three at most; of hexadecimal ones some read more than two. */
function octal(byte: number): string {
  return `\\${byte.toString(8).padStart(3, '0')}`;
}
