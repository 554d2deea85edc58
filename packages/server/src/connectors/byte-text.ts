/**
 * Names of files and keys are bytes, not text: one that is not UTF-8 must be found and erased like any other. They are kept as *byte
 * text*, one character for each byte, which loses nothing.
 */
export function byteText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Byte text as the store wants it. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Byte text as people read it; bytes that are not UTF-8 become U+FFFD. */
export function readable(text: string): string {
  return bytesOf(text).toString('utf8');
}
