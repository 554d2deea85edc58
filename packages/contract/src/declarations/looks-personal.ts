import { isIPv6 } from 'node:net';

const EMAIL = /[^\s@]@[^\s@]/;
const IPV4 = /(?<!\d)(?:\d{1,3}\.){3}\d{1,3}(?!\d)/;
/** With or without dashes; 32 hexadecimal digits are as good as a UUID. */
const UUID = /[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/i;
const MAC = /(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}/i;
/** A date has 8 digits with separators; a subscriber's number has 7 and more without. */
const DIGITS = /\d{7}/;
const GROUPED_DIGITS = /(?:\d[ .()/-]{0,2}){9}/;

export type PersonalLook =
  | 'an e-mail address'
  | 'an IP address'
  | 'a device address'
  | 'a UUID'
  | 'a long number';

/**
 * What kind of personal data the value of a label looks like, in words; undefined if it looks like none. Everyone who can read
 * metrics can read labels, so the SDK refuses to publish such a value and the server refuses to read it: by this one rule.
 */
export function looksPersonal(value: string): PersonalLook | undefined {
  const text = decodePercents(value.normalize('NFKC'));
  if (EMAIL.test(text)) return 'an e-mail address';
  if (looksLikeIp(text)) return 'an IP address';
  if (MAC.test(text)) return 'a device address';
  if (UUID.test(text)) return 'a UUID';
  if (DIGITS.test(text) || GROUPED_DIGITS.test(text)) return 'a long number';
  return undefined;
}

function looksLikeIp(text: string): boolean {
  if (IPV4.test(text)) return true;
  const words = text.split(/[^0-9a-zA-Z:.]+/);
  return words.some((word) => word.includes(':') && isIPv6(word));
}

function decodePercents(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
