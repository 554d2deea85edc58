import { describe, expect, it } from 'vitest';
import { isMailAddress, mailAddressSchema } from './mail-address.ts';

describe('a mail address', () => {
  it.each([
    'ada@example.org',
    "o'neil+tag=1/2@example.org",
    'a@x.co',
    '"ada lovelace"@example.org',
    '"ada;1"@example.org',
    '"ada@work"@example.org',
    '"a\\"b"@example.org',
    'käthe@example.org',
    'дарья@пример.рф',
    '用户@例子.广告',
    'ada@bücher.example',
    'ada@xn--bcher-kva.example',
    `${'a'.repeat(64)}@example.org`,
  ])('is %s', (text) => {
    expect(isMailAddress(text)).toBe(true);
    expect(mailAddressSchema.safeParse(text).success).toBe(true);
  });

  it.each([
    ['two of them', 'ada@example.org,eve@evil.example'],
    ['two of them in quotes', '"ada@example.org,eve"@evil.example'],
    ['another one in brackets', 'ada <eve@evil.example>'],
    ['brackets in quotes', '"a>b"@example.org'],
    ['a second line', 'ada@example.org\r\nBcc: eve@evil.example'],
    ['a line break in quotes', '"a\r\nRCPT TO:eve"@example.org'],
    ['a quoted control character', '"a\\\u0007"@example.org'],
    ['a NUL', 'ada\0@example.org'],
    ['a separator of lines', '"a\u2028b"@example.org'],
    ['what turns the direction', 'ada\u202e@example.org'],
    ['what cannot be seen', 'ada\u200b@example.org'],
    ['a space that is none of ASCII', '"a\u00a0b"@example.org'],
    ['half a character', 'ada\ud800@example.org'],
    ['a space without quotes', 'ada lovelace@example.org'],
    ['an open quote', '"ada@example.org'],
    ['a quote in a quote', '"a"b"@example.org'],
    ['nothing in quotes', '""@example.org'],
    ['two dots', 'ada..l@example.org'],
    ['a dot at the end', 'ada.@example.org'],
    ['no local part', '@example.org'],
    ['no domain', 'ada@'],
    ['no @', 'ada'],
    ['a machine in brackets', 'ada@[127.0.0.1]'],
    ['a machine', 'ada@127.0.0.1'],
    ['a name without a dot', 'ada@localhost'],
    ['an empty label', 'ada@example..org'],
    ['a label with a hyphen at its end', 'ada@example-.org'],
    ['a port', 'ada@example.org:25'],
    ['a comment', 'ada(there)@example.org'],
    ['too long a local part', `${'ä'.repeat(33)}@example.org`],
    ['too long a domain', `ada@${'a.'.repeat(130)}org`],
  ])('is not with %s', (_, text) => {
    expect(isMailAddress(text)).toBe(false);
    expect(mailAddressSchema.safeParse(text).success).toBe(false);
  });
});
