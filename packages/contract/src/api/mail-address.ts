import * as z from 'zod';

/** RFC 5321 §4.1.2 `Dot-string`, with letters beyond ASCII (RFC 6531 §3.3). */
const DOT_STRING =
  /^[\w!#$%&'*+\-/=?^`{|}~\u0080-\u{10ffff}]+(?:\.[\w!#$%&'*+\-/=?^`{|}~\u0080-\u{10ffff}]+)*$/u;
/** RFC 5321 §4.1.2 `Quoted-string`, likewise. */
const QUOTED_STRING = /^"(?:[ !#-[\]-~\u0080-\u{10ffff}]|\\[ -~])+"$/u;
/** A label of a name of hosts, as people write it or in ASCII (RFC 5890). */
const LABEL = /^[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u;
/** What no address needs, and what could end a line, begin another address, hide or turn what stands beside it. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}<>,]|[^\P{Zs} ]/u;

/** RFC 5321 §4.5.3.1: octets of a local part, and of a path without its brackets. */
const LONGEST_LOCAL_PART = 64;
const LONGEST = 254;

/**
 * Whether a mail can be written to this address: one that RFC 5321 or, for letters beyond ASCII, RFC 6531 allows, also quoted ones
 * (`"ada;1"@example.org`). Stricter in three things: the domain is a name with a dot and no number in brackets, because a mail server must
 * not be sent to any machine by a stranger; it has neither `,`, `<` nor `>`, not even in quotes; and nothing that cannot be seen.
 */
export function isMailAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  if (at < 1 || UNSAFE.test(text) || !text.isWellFormed()) return false;
  if (octets(text) > LONGEST) return false;
  const local = text.slice(0, at);
  if (octets(local) > LONGEST_LOCAL_PART) return false;
  return (DOT_STRING.test(local) || QUOTED_STRING.test(local)) && isDomain(text.slice(at + 1));
}

export const mailAddressSchema = z
  .string()
  .max(LONGEST)
  .refine(isMailAddress, 'a mail address')
  .meta({ format: 'idn-email' });

function isDomain(text: string): boolean {
  const labels = text.split('.');
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return false;
  // The last label of a name is never a number (RFC 3696 §2): an address of a machine is none.
  if (/^\d+$/.test(labels.at(-1) ?? '')) return false;
  return URL.canParse(`http://${text}`);
}

function octets(text: string): number {
  return new TextEncoder().encode(text).length;
}
