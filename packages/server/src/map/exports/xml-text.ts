import { plainText } from './stamp-lines.ts';

/** Text inside an element or a double-quoted attribute of XML 1.0. */
export function xmlText(text: string): string {
  return plainText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
