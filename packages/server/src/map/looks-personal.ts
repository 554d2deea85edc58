import ipaddr from 'ipaddr.js';

const EMAIL = /[^\s@]@[^\s@]/;
const IPV4 = /(?<!\d)(?:\d{1,3}\.){3}\d{1,3}(?!\d)/;
/** With or without dashes; 32 hexadecimal digits are as good as a UUID. */
const UUID = /[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/i;
const MAC = /(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}/i;
/** A date has 8 digits with separators; a subscriber's number has 7 and more without. */
const DIGITS = /\d{7}/;
const GROUPED_DIGITS = /(?:\d[ .()/-]{0,2}){9}/;

/** What kind of personal data a label value looks like, in words; undefined if it looks like none. */
export function looksPersonal(value: string): string | undefined {
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
  return words.some((word) => word.includes(':') && ipaddr.IPv6.isValid(word));
}

function decodePercents(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
