import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDigester, newSecretKey, open, seal, sealAll } from './crypto.ts';

describe('seal and open', () => {
  it('give back any bytes under the same key and context', () => {
    const key = newSecretKey();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.string(), (bytes, context) => {
        expect(new Uint8Array(open(key, seal(key, bytes, context), context))).toEqual(bytes);
      }),
    );
  });

  it('refuse another key, another context and any changed bit', () => {
    const key = newSecretKey();
    const sealed = seal(key, Buffer.from('ada@example.org'), 'request req_1');
    expect(() => open(newSecretKey(), sealed, 'request req_1')).toThrow(
      expect.objectContaining({ code: 'MASTER_KEY_INVALID' }),
    );
    expect(() => open(key, sealed, 'request req_2')).toThrow(
      expect.objectContaining({ code: 'MASTER_KEY_INVALID' }),
    );
    for (let bit = 0; bit < sealed.length * 8; bit += 7) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => open(key, changed, 'request req_1')).toThrow(
        expect.objectContaining({ code: 'MASTER_KEY_INVALID' }),
      );
    }
  });
});

it('opens each of many that were sealed together', () => {
  const key = newSecretKey();
  const all = ['ada@x.org', 'ada@x.org', ''].map((text, index) => ({
    plain: Buffer.from(text),
    context: `${index}`,
  }));
  const sealed = sealAll(key, all);
  expect(sealed.map((one, index) => open(key, one, `${index}`).toString())).toEqual([
    'ada@x.org',
    'ada@x.org',
    '',
  ]);
  expect(new Set(sealed.map((one) => one.subarray(1, 13).toString('hex'))).size).toBe(3);
});

it('gives the HMAC of each text that Node gives, whatever came before it', () => {
  const key = newSecretKey();
  const digest = createDigester(key);
  const texts = fc.string({ unit: 'grapheme', maxLength: 40 });
  fc.assert(
    fc.property(texts, (text) => {
      expect(digest(text)).toEqual(createHmac('sha256', key).update(text).digest());
    }),
    { numRuns: 200, examples: [['\u{10ffff}'.repeat(512)], ['\uffff'.repeat(1_024)], ['\ud800'], ['']] },
  );
});
