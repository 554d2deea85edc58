import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HabeasError, parseConfig } from '../foundation/index.ts';
import { fitsType } from './event-types.ts';
import { receiversOf } from './receivers.ts';
import { retryDelay } from './retry-delay.ts';
import { plain, quoted } from './told-event.ts';

const SECRET = Buffer.alloc(32, 1).toString('base64');

function parse(value: object) {
  return parseConfig({ text: JSON.stringify(value, null, 1), file: 'habeas.yaml', environment: {} });
}

function refusal(value: object): string {
  try {
    parse(value);
  } catch (error) {
    if (error instanceof HabeasError) return error.message;
  }
  return 'taken';
}

describe('a configuration of receivers', () => {
  it.each<[string, object, RegExp]>([
    ['a mail without a mail server', { teams: { shop: { mail: 'shop@acme.example' } } }, /:4:.*notify\.smtp/],
    ['operators without a mail server', { notify: { operators: { mail: 'a@b.example' } } }, /notify\.smtp/],
    ['two recipients in one', { teams: { shop: { mail: 'a@b.example, c@d.example' } } }, /email/i],
    ['a header in an address', { teams: { shop: { mail: 'a@b.example\r\nBcc: c@d.example' } } }, /email/i],
    [
      'a secret that is short',
      { teams: { shop: { webhook: { url: 'https://a.example', secret: 'aGFiZWFz' } } } },
      /24 to 64 bytes/,
    ],
    [
      'a password in an address',
      { teams: { shop: { webhook: { url: 'https://u:p@a.example', secret: SECRET } } } },
      /without user, password/,
    ],
    [
      'another scheme',
      { teams: { shop: { webhook: { url: 'file:///etc/passwd', secret: SECRET } } } },
      /URL/,
    ],
    [
      'two webhooks of one name',
      {
        notify: {
          webhooks: [
            { name: 'a', url: 'https://a.example', secret: SECRET },
            { name: 'a', url: 'https://b.example', secret: SECRET },
          ],
        },
      },
      /another webhook has this name/,
    ],
    [
      'a type that is none',
      { notify: { webhooks: [{ name: 'a', url: 'https://a.example', secret: SECRET, events: ['ma*'] }] } },
      /a type of events/,
    ],
  ])('is refused with %s, and no value is told', (_, value, reason) => {
    expect(refusal(value)).toMatch(reason);
    expect(refusal(value)).not.toContain(SECRET);
    expect(refusal(value)).not.toContain('u:p');
  });

  it('tells operators what no team would be told, and teams only what is theirs', () => {
    const smtp = { url: 'smtp://mail.example', from: 'habeas@acme.example' };
    const config = parse({
      teams: { shop: { mail: 'shop@acme.example' }, mute: {} },
      notify: { smtp, operators: { mail: 'ops@acme.example' } },
    });
    const whoWants = (type: string, team: string) =>
      receiversOf(config)
        .filter((receiver) => receiver.wants({ type, data: { team } }))
        .map(({ name }) => name);
    const [shop, ops] = ['teams.shop.mail', 'notify.operators.mail'];
    expect(whoWants('map.store-without-eraser', 'shop')).toEqual([shop]);
    expect(whoWants('map.store-without-eraser', 'mute')).toEqual([ops]);
    expect(whoWants('map.sensitive-flow-appeared', 'unknown')).toEqual([ops]);
    expect(whoWants('map.client-address-changed', 'shop')).toEqual([shop, ops]);
    expect(whoWants('map.shrunk', 'shop')).toEqual([ops]);
    expect(whoWants('map.changed', 'shop')).toEqual([]);
    for (const receiver of receiversOf(config)) {
      for (const type of ['map.shrunk', 'map.client-address-changed', 'map.store-without-eraser']) {
        const fits = receiver.types.some((pattern) => fitsType(pattern, type));
        const wants = ['shop', 'unknown'].some((team) => receiver.wants({ type, data: { team } }));
        expect(!wants || fits).toBe(true);
      }
    }
  });
});

describe('the next try', () => {
  it('comes later with each failure, between half of the delay and all of it, and within the longest', () => {
    const delays = { firstMilliseconds: 2_000, longestMilliseconds: 900_000 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, random) => {
          const delay = retryDelay(n, delays, random);
          const whole = Math.min(900_000, 2_000 * 2 ** (n - 1));
          expect(delay).toBeGreaterThanOrEqual(Math.floor(whole / 2));
          expect(delay).toBeLessThanOrEqual(whole);
        },
      ),
    );
  });
});

describe('a name in a text', () => {
  it('stays on its line, and in a command it stays one word', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(text, (name) => {
        expect(plain(name)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(wordsOf(`habeas ${quoted(plain(name))}`)).toEqual(['habeas', plain(name)]);
      }),
    );
  });

  /** Splits as a shell does; throws for what it would treat as anything but words. */
  function wordsOf(command: string): readonly string[] {
    const words: string[] = [];
    let rest = command;
    while (rest !== '') {
      let word = '';
      for (let part = next(); part !== undefined; part = next()) word += part;
      words.push(word);
      if (rest !== '' && !rest.startsWith(' ')) throw new Error(`The shell would act on ${rest[0]}.`);
      rest = rest.slice(1);
    }
    return words;

    function next(): string | undefined {
      const [whole, single, escaped, bare] = /^(?:'([^']*)'|\\(.)|([A-Za-z0-9_.:/@+-]+))/.exec(rest) ?? [];
      if (whole === undefined) return undefined;
      rest = rest.slice(whole.length);
      return single ?? escaped ?? bare;
    }
  }
});
