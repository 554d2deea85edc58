import type { Spelling } from '../catalog/index.ts';

/** What people put between the digits of a telephone number (E.123), and the trunk zero that is not dialled from abroad. */
export const BETWEEN_DIGITS = ['(0)', ' ', '-', '.', '/', '(', ')'];

/** A telephone number without what stands between its digits, and with `+` instead of 00; undefined: it has no digits. */
export function telephoneOf(text: string): string | undefined {
  const dense = BETWEEN_DIGITS.reduce((left, one) => left.replaceAll(one, ''), text);
  return /\d/.test(dense) ? dense.replace(/^00/, '+') : undefined;
}

/** An e-mail address without case and without the part of its mailbox that its owner may choose freely (RFC 5233, `user+detail`). A quoted mailbox has none. */
export function mailboxOf(text: string): string {
  const folded = text.toLowerCase();
  const [plus, at] = [folded.indexOf('+'), folded.indexOf('@')];
  const hasDetail = plus > 0 && plus < at && !folded.startsWith('"');
  return hasDetail ? folded.slice(0, plus) + folded.slice(at) : folded;
}

/** The one text that all ways of writing a value have; undefined: it is none that names somebody. */
export function spelled(text: string, spelling: Spelling): string | undefined {
  return spelling === 'telephone' ? telephoneOf(text) : mailboxOf(text);
}
