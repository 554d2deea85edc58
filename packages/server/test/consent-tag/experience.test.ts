import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireProgram } from '../requirements.ts';
import { barriers, type ConsentSite, openConsentSite, picture, remembered } from './consent-site.ts';

const program = requireProgram('chromium', '--version');

/** What stands behind the banner: something to tab through. */
const BODY = `<main><h1>Acme garden tools</h1>${'<p>Spades, rakes and <a href="#x">wheelbarrows</a>, made to last.</p>'.repeat(12)}</main>`;

describe.skipIf(program === undefined)('banner and preference centre', () => {
  let site: ConsentSite;

  beforeAll(async () => {
    site = await openConsentSite();
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  const open = async (attributes = '', options: BrowserContextOptions = {}, body = BODY): Promise<Page> => {
    const page = await (await site.browse(options)).newPage();
    await page.goto(site.page('/shop', body, { attributes }));
    await page.evaluate('habeasConsent.ready');
    return page;
  };
  const inTag = (selector: string) => `habeas-consent ${selector}`;
  const isAsked = (page: Page) => page.isVisible(inTag('.banner'));
  /** What has the focus, also inside of the tag. */
  const focused = (page: Page): Promise<string> =>
    page.evaluate(`(() => {
      const { activeElement } = document;
      const element = activeElement.shadowRoot?.activeElement ?? activeElement;
      return element.getAttribute('aria-label') ?? element.closest('label')?.querySelector('.name')?.textContent ?? element.textContent;
    })()`);
  const press = async (page: Page, ...keys: readonly string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const said = (page: Page): Promise<Record<string, boolean>> => page.evaluate('habeasConsent.said');

  it('is passed by keyboard alone, and Escape says nothing', async () => {
    const page = await open();
    await press(page, 'Tab');
    expect(await focused(page)).toBe('Privacy policy');
    await press(page, 'Tab');
    expect(await focused(page)).toBe('Refuse all');
    await press(page, 'Escape');
    expect(await isAsked(page)).toBe(true);
    await press(page, 'Tab');
    expect(await focused(page)).toBe('Accept all');
    await press(page, 'Tab', 'Enter');
    expect(await focused(page)).toBe('Privacy settings');
    expect(await page.isVisible(inTag('dialog'))).toBe(true);
    await press(page, 'Tab', 'Tab');
    expect(await focused(page)).toBe('Close');
    await press(page, 'Tab', 'Space');
    expect(await focused(page)).toBe('Analytics');
    await press(page, 'Escape');
    expect(await page.isVisible(inTag('dialog'))).toBe(false);
    expect([await isAsked(page), await said(page), await remembered(page)]).toEqual([true, {}, null]);
    // Back where they were.
    expect(await focused(page)).toBe('Privacy settings');
    await press(page, 'Enter', 'Tab', 'Tab', 'Tab', 'Space');
    // What was ticked before, and not saved, is gone.
    expect(await page.isChecked(inTag('input >> nth=0'))).toBe(true);
    await press(page, 'Tab', 'Tab', 'Tab', 'Tab', 'Tab');
    expect(await focused(page)).toBe('Save my choices');
    await press(page, 'Enter');
    await page.waitForSelector(inTag('.banner'), { state: 'hidden' });
    // What was on by default and left alone is nothing that they said.
    expect(await said(page)).toEqual({ analytics: true, advertising: false });
    expect(await focused(page)).toBe('Privacy settings');
    expect(await page.textContent(inTag('[role=status]'))).toBe('Your choice is kept.');
    await press(page, 'Tab');
    expect(await focused(page)).toBe('wheelbarrows');
  });

  it('has no box ticked that nobody touched, and one switch for each thing that can be refused or objected to', async () => {
    const page = await open();
    await page.click(inTag('.banner .more'));
    const boxes = await page.evaluate(
      `[...document.querySelector('habeas-consent').shadowRoot.querySelectorAll('li')].map((item) => item.querySelector('input')?.checked ?? 'always')`,
    );
    expect(boxes).toEqual(['always', false, false, false]);
    const row = page.locator(inTag('li >> nth=0'));
    expect(await row.textContent()).toContain('Always on');
    const last = page.locator(inTag('li >> nth=3'));
    expect(await last.textContent()).toContain('I object');
    // Used, it refuses; used again, what was refused is allowed.
    await last.locator('input').click();
    await page.click(inTag('dialog .more'));
    const code = await page.evaluate('habeasConsent.notice.purposes[3].code');
    expect(await said(page)).toMatchObject({ [String(code)]: false });
    await page.click(inTag('button.link'));
    expect(await last.locator('input').isChecked()).toBe(true);
    await last.locator('input').click();
    await page.click(inTag('dialog .more'));
    await page.waitForFunction(`habeasConsent.said[${JSON.stringify(code)}] === true`);
  });

  it('makes refusing as easy as accepting: one press each, alike in size and looks', async () => {
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 320, height: 640 },
    ]) {
      const page = await open('', { viewport });
      const looks = (name: string) =>
        page.evaluate(`(() => {
          const button = [...document.querySelector('habeas-consent').shadowRoot.querySelectorAll('.banner button')].find((one) => one.textContent === '${name}');
          const { color, backgroundColor, fontSize, fontWeight, borderColor } = getComputedStyle(button);
          const { width, height, top } = button.getBoundingClientRect();
          return { color, backgroundColor, fontSize, fontWeight, borderColor, width, height, top };
        })()`);
      expect(await looks('Refuse all')).toEqual(await looks('Accept all'));
      await page.click(inTag('.banner button >> text=Refuse all'));
      await page.waitForSelector(inTag('.banner'), { state: 'hidden' });
      expect(await said(page)).toEqual({ analytics: false, advertising: false, sale: false });
    }
  });

  it('lets people take back a yes as easily: the button stays, and a link of the page does the same', async () => {
    const page = await open();
    await page.click(inTag('.banner button >> text=Accept all'));
    await page.click(inTag('button.link'));
    await page.click(inTag('dialog button >> text=Refuse all'));
    await page.waitForFunction('habeasConsent.said.analytics === false');
    const other = await open('', {}, '<p><a href="/cookies" data-consent-open>Cookies</a></p>');
    await other.click(inTag('.banner button >> text=Accept all'));
    await other.waitForSelector(inTag('.banner'), { state: 'hidden' });
    expect(await other.isVisible(inTag('button.link'))).toBe(false);
    await other.click('[data-consent-open]');
    await other.click(inTag('dialog button >> text=Refuse all'));
    await other.waitForFunction('habeasConsent.said.analytics === false');
    expect(other.url()).toContain('/shop');
  });

  it.each([
    ['desktop', { viewport: { width: 1280, height: 800 } }],
    ['desktop-dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }],
    ['phone', { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2 }],
    [
      'phone-small-dark',
      { viewport: { width: 320, height: 568 }, deviceScaleFactor: 2, colorScheme: 'dark' },
    ],
  ] as const)('has no barrier and fits: %s', async (name, options) => {
    const page = await open('', options);
    const fits = 'document.documentElement.scrollWidth <= innerWidth';
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate(fits)).toBe(true);
    await picture(page, `${name}-banner`);
    await page.click(inTag('.banner .more'));
    expect(await barriers(page)).toEqual([]);
    await picture(page, `${name}-preferences`);
    const [box, view] = [await page.locator(inTag('dialog')).boundingBox(), page.viewportSize()];
    expect((box?.y ?? -1) >= 0 && (box?.y ?? 0) + (box?.height ?? 0) <= (view?.height ?? 0)).toBe(true);
    await page.click(inTag('dialog .more'));
    await page.waitForSelector(inTag('button.link'));
    expect(await barriers(page)).toEqual([]);
    await picture(page, `${name}-after`);
  });

  it('does not hide what has the focus behind the banner', async () => {
    const page = await open('', { viewport: { width: 1280, height: 500 } });
    // A window that becomes narrow makes the banner higher.
    await page.setViewportSize({ width: 480, height: 500 });
    await page.waitForFunction(`(() => {
      const { offsetHeight } = document.querySelector('habeas-consent').shadowRoot.querySelector('.banner');
      return Number.parseFloat(document.documentElement.style.scrollPaddingBlockEnd) >= offsetHeight;
    })()`);
    for (let press = 0; press < 14; press += 1) {
      await page.keyboard.press('Tab');
      const hidden = await page.evaluate(`(() => {
        const { activeElement } = document;
        if (activeElement.shadowRoot || activeElement === document.body) return false;
        const banner = document.querySelector('habeas-consent').shadowRoot.querySelector('.banner').getBoundingClientRect();
        return activeElement.getBoundingClientRect().bottom > banner.top;
      })()`);
      expect(hidden).toBe(false);
    }
  });

  it('leaves what has the focus to be seen also beside the button, and on a page enlarged to 400 %', async () => {
    const links = '<p><a href="#x">Spades</a></p>'.repeat(40);
    const seen = `(() => {
      const { activeElement } = document;
      if (activeElement.localName !== 'a') return 'elsewhere';
      const { x, y, width, height } = activeElement.getBoundingClientRect();
      return document.elementFromPoint(x + width / 2, y + height / 2) === activeElement;
    })()`;
    for (const answers of [false, true]) {
      const page = await open('', { viewport: { width: 320, height: 256 } }, links);
      if (answers) await page.click(inTag('.banner button >> text=Refuse all'));
      for (const wanted of answers ? [inTag('button.link'), 'a'] : [inTag('.banner'), 'a'])
        await page.waitForSelector(wanted);
      // The padding follows in the next frame.
      await page.waitForFunction(`document.documentElement.style.scrollPaddingBlockEnd !== ''`);
      const found: unknown[] = [];
      for (let press = answers ? 4 : 0; press < 44; press += 1) {
        await page.keyboard.press('Tab');
        found.push(await page.evaluate(seen));
      }
      expect(found.filter((one) => one === true)).toHaveLength(40);
      expect(found).not.toContain(false);
    }
  });

  it('takes no place in a page whose body is a grid', async () => {
    const body = `<style>body { display: grid; grid-template-rows: auto 1fr auto; gap: 20px; min-height: 100vh; margin: 0 }</style>
<header>Acme</header><main><h1>Garden tools</h1></main><footer>Imprint</footer>`;
    const places = (page: Page) =>
      page.evaluate(
        `['header', 'main', 'footer'].map((name) => document.querySelector(name)).map(({ offsetTop, offsetHeight }) => [offsetTop, offsetHeight])`,
      );
    const page = await open('', {}, body);
    expect(await isAsked(page)).toBe(true);
    const there = await places(page);
    await page.evaluate(`document.querySelector('habeas-consent').remove()`);
    expect(there).toEqual(await places(page));
  });

  it('has no header and no footer that would be taken for those of the page', async () => {
    const page = await open('', {}, `<header>Acme</header>${BODY}<footer>Imprint</footer>`);
    await page.click(inTag('.banner .more'));
    expect(await page.getByRole('dialog').count()).toBe(1);
    for (const role of ['banner', 'contentinfo'] as const)
      expect(await page.getByRole(role).allTextContents()).toEqual([role === 'banner' ? 'Acme' : 'Imprint']);
  });

  it('moves nothing for who wants less motion', async () => {
    const page = await open('', { reducedMotion: 'reduce' });
    await page.click(inTag('.banner .more'));
    const moving = `[...document.querySelector('habeas-consent').shadowRoot.querySelectorAll('*')].flatMap((one) => [getComputedStyle(one), getComputedStyle(one, '::before')]).filter(({ transitionDuration, animationName }) => transitionDuration !== '0s' || animationName !== 'none').length`;
    expect(await page.evaluate(moving)).toBe(0);
  });

  it('stands in one column where the person set large letters', async () => {
    const large = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--blink-settings=defaultFontSize=32'],
    });
    try {
      const page = await large.newPage({ viewport: { width: 900, height: 800 } });
      await page.goto(site.page('/large', BODY));
      const text = await page.locator(inTag('.banner p')).boundingBox();
      expect(text?.width).toBeGreaterThan(600);
      expect(await barriers(page)).toEqual([]);
      await picture(page, 'large-letters-banner');
      await page.click(inTag('.banner .more'));
      await picture(page, 'large-letters-preferences');
    } finally {
      await large.close();
    }
  });

  it('reads from right to left in languages that do', async () => {
    const page = await open('data-language="ar"', { viewport: { width: 1280, height: 800 } });
    const host = page.locator('habeas-consent');
    expect([await host.getAttribute('dir'), await host.getAttribute('lang')]).toEqual(['rtl', 'ar']);
    const at = async (selector: string) => (await page.locator(inTag(selector)).boundingBox())?.x ?? 0;
    expect(await at('h2 >> nth=0')).toBeGreaterThan(await at('.banner .actions'));
    expect(await barriers(page)).toEqual([]);
    await page.click(inTag('.banner .more'));
    expect(await at('li:nth-child(2) .name')).toBeGreaterThan(await at('li:nth-child(2) input'));
    // What is there in English only is read from left to right: its full stop stands last.
    const [first = 0, last = 0] = (await page.evaluate(`(() => {
      const [text] = document.querySelector('habeas-consent').shadowRoot.querySelector('.about').childNodes;
      return [0, text.length - 1].map((place) => {
        const range = document.createRange();
        range.setStart(text, place);
        range.setEnd(text, place + 1);
        return range.getBoundingClientRect().x;
      });
    })()`)) as number[];
    expect(last).toBeGreaterThan(first);
    expect(await barriers(page)).toEqual([]);
    await picture(page, 'right-to-left');
  });

  it('can be used where a page is enlarged to 400 %: every switch comes into view', async () => {
    const page = await open('', { viewport: { width: 320, height: 256 } });
    await page.evaluate('habeasConsent.open()');
    expect(await barriers(page)).toEqual([]);
    for (const name of ['Analytics', 'Advertising', 'Sale of data']) {
      while ((await focused(page)) !== name) await press(page, 'Tab');
      const isInView = await page.evaluate(`(() => {
        const root = document.querySelector('habeas-consent').shadowRoot;
        const { x, y, width, height } = root.activeElement.getBoundingClientRect();
        return [y + 1, y + height - 1].every((at) => root.elementFromPoint(x + width / 2, at) === root.activeElement);
      })()`);
      expect([name, isInView]).toEqual([name, true]);
    }
    await picture(page, 'enlarged');
  });

  it('has the size that the person set, and looks the same whatever the page says of everything', async () => {
    const looks = async (style: string) => {
      const page = await open('', { viewport: { width: 1280, height: 800 } }, `${style}${BODY}`);
      const box = await page.locator(inTag('.banner')).boundingBox();
      const computed = await page.evaluate(`(() => {
        const root = document.querySelector('habeas-consent').shadowRoot;
        return ['h2', 'p', 'button'].map((name) => {
          const { fontSize, fontStyle, color, letterSpacing, textAlign } = getComputedStyle(root.querySelector(name));
          return [fontSize, fontStyle, color, letterSpacing, textAlign];
        });
      })()`);
      const isSeen = await page.evaluate(
        `document.querySelector('habeas-consent').checkVisibility({ opacityProperty: true, visibilityProperty: true })`,
      );
      return { box, computed, isSeen };
    };
    const plain = await looks('');
    expect(plain.isSeen).toBe(true);
    for (const style of [
      'html { font-size: 62.5% }',
      ':not(:defined) { visibility: hidden }',
      'body > * { opacity: 0; transform: translateY(20px); max-width: 600px }',
      '* { font-style: italic; color: red; letter-spacing: 1em; text-align: center }',
    ])
      expect([style, await looks(`<style>${style}</style>`)]).toEqual([style, plain]);
  });

  it('is not printed', async () => {
    const page = await open();
    await page.emulateMedia({ media: 'print' });
    expect(await isAsked(page)).toBe(false);
  });

  it('fits with words that are very long, and refusing stays as large as accepting', async () => {
    const long = {
      refuse: 'Kaikkivälttämättömyysevästeetkin hylätään',
      settings: 'Datenschutzeinstellungsverwaltungsübersicht',
      save: 'Auswahlspeicherungsbestätigung',
      always: 'Immereingeschaltetbleibend',
      object: 'Widerspruchsmöglichkeitsschalter',
    };
    for (const width of [1280, 320]) {
      const page = await (await site.browse({ viewport: { width, height: 640 } })).newPage();
      await page.route('**/consent/v1/notice*', async (route) => {
        const answer = await route.fetch();
        const notice = (await answer.json()) as { texts: object; purposes: readonly object[] };
        const purposes = notice.purposes.map((purpose) => ({
          ...purpose,
          name: 'Donaudampfschifffahrtsgesellschaftskapitänsmützenverordnung',
        }));
        const texts = { ...notice.texts, ...long };
        await route.fulfill({ response: answer, json: { ...notice, texts, purposes } });
      });
      await page.goto(site.page('/long', BODY));
      await page.waitForSelector(inTag('.banner'));
      const sizes = (where: string) =>
        page.evaluate(
          `[...document.querySelector('habeas-consent').shadowRoot.querySelectorAll('${where} .actions button:not(.more)')].map(({ offsetWidth, offsetHeight, offsetTop }) => [offsetWidth, offsetHeight, offsetTop])`,
        ) as Promise<number[][]>;
      const tooWide = `[...document.querySelector('habeas-consent').shadowRoot.querySelectorAll('.banner, .banner > div, button, dialog, ul, li, .top')].filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ localName }) => localName)`;
      const [refuse, accept] = await sizes('.banner');
      expect(refuse).toEqual(accept);
      expect(await page.evaluate(tooWide)).toEqual([]);
      const text = await page.locator(inTag('.banner p')).boundingBox();
      expect(text?.width).toBeGreaterThan(240);
      await picture(page, `long-words-${width}-banner`);
      await page.click(inTag('.banner .more'));
      const [refuseThere, acceptThere] = await sizes('dialog');
      expect(refuseThere).toEqual(acceptThere);
      expect(await page.evaluate(tooWide)).toEqual([]);
      await picture(page, `long-words-${width}-preferences`);
    }
  });

  it('stays open, and alone to be used, when the notice comes while the settings are open', async () => {
    const page = await open();
    await page.click(inTag('.banner button >> text=Refuse all'));
    const state = () =>
      page.evaluate(
        `[habeasConsent.notice.texts.text, document.querySelector('habeas-consent').shadowRoot.querySelector('dialog').matches(':modal'), document.querySelector('habeas-consent').shadowRoot.querySelector('dialog .top p').textContent]`,
      );
    for (const text of ['As before.', 'As before.', 'In other words.']) {
      const { promise: late, resolve: come } = Promise.withResolvers<void>();
      await page.unroute('**/consent/v1/notice*');
      await page.route('**/consent/v1/notice*', async (route) => {
        await late;
        const answer = await route.fetch();
        const notice = (await answer.json()) as { texts: object };
        const texts = { ...notice.texts, text, settings_text: text };
        await route.fulfill({ response: answer, json: { ...notice, texts } });
      });
      await page.goto(site.page('/late', BODY));
      await page.click(inTag('button.link'));
      await page.locator(inTag('input >> nth=0')).click();
      const before = await page.evaluate('habeasConsent.notice.texts.text');
      come();
      await page.evaluate('habeasConsent.ready');
      expect(await state()).toEqual([text, true, `${text} Privacy policy`]);
      // Who was shown the same words keeps what they switched on; other words are another question.
      expect(await page.isChecked(inTag('input >> nth=0'))).toBe(before === text);
      await page.evaluate('habeasConsent.chooseAll(false)');
    }
  });

  it('keeps the focus on a button of the banner when the notice comes in other words', async () => {
    const page = await open();
    await page.evaluate('habeasConsent.choose({})');
    const { promise: late, resolve: come } = Promise.withResolvers<void>();
    await page.route('**/consent/v1/notice*', async (route) => {
      await late;
      const answer = await route.fetch();
      const notice = (await answer.json()) as { texts: object };
      const texts = { ...notice.texts, title: 'In other words', policy_url: '/privacy' };
      await route.fulfill({ response: answer, json: { ...notice, texts } });
    });
    await page.goto(site.page('/late', BODY));
    await page.waitForSelector(inTag('.banner'));
    await press(page, 'Tab', 'Tab');
    expect(await focused(page)).toBe('Refuse all');
    come();
    await page.evaluate('habeasConsent.ready');
    expect(await page.textContent(inTag('.banner h2'))).toBe('In other words');
    expect(await focused(page)).toBe('Refuse all');
    // The policy may stand on the page's own site.
    expect(await page.getAttribute(inTag('.banner a'), 'href')).toBe('/privacy');
  });

  it('comes back, and keeps its button out of the way, when the page draws itself anew', async () => {
    const page = await open();
    const draw = (html: string) =>
      page.evaluate(`{
        const body = document.createElement('body');
        body.innerHTML = ${JSON.stringify(html)};
        document.body.replaceWith(body);
      }`);
    await draw('<h1>Another page</h1>');
    await page.waitForSelector(inTag('.banner'));
    // Also while somebody is choosing, who loses nothing of it.
    await page.click(inTag('.banner .more'));
    await page.locator(inTag('input >> nth=0')).click();
    await draw('<h1>One more page</h1>');
    await page.waitForSelector(inTag('dialog:modal'));
    expect(await page.isChecked(inTag('input >> nth=0'))).toBe(true);
    await page.keyboard.press('Escape');
    await page.click(inTag('.banner button >> text=Refuse all'));
    await page.waitForSelector(inTag('button.link'));
    await draw('<h1>A page with a link</h1><a href="/cookies" data-consent-open>Cookies</a>');
    await page.waitForSelector(inTag('button.link'), { state: 'hidden' });
    await page.evaluate(`document.querySelector('[data-consent-open]').remove()`);
    await page.waitForSelector(inTag('button.link'));
    // Who takes out this alone means it.
    await page.evaluate(`document.querySelector('habeas-consent').remove()`);
    await page.evaluate(
      'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))',
    );
    expect(await page.locator('habeas-consent').count()).toBe(0);
  });

  it('lets a link of the page lead where it says while there is nothing to open', async () => {
    const page = await (await site.browse()).newPage();
    await page.route('**/consent/v1/notice*', (route) => route.abort());
    site.page('/policy', '<h1>Privacy</h1>');
    await page.goto(site.page('/without', '<a href="/policy" data-consent-open>Privacy</a>'));
    await page.evaluate('habeasConsent.ready');
    await page.click('[data-consent-open]');
    await page.waitForURL('**/policy');
  });

  it('says that a choice is kept after each one, in the settings as well', async () => {
    const page = await open();
    const status = () => page.textContent(inTag('[role=status]'));
    await page.click(inTag('.banner button >> text=Accept all'));
    await page.waitForSelector(inTag('button.link'));
    expect(await status()).toBe('Your choice is kept.');
    await page.click(inTag('button.link'));
    expect(await status()).toBe('');
    await page.click(inTag('dialog button >> text=Refuse all'));
    await page.waitForFunction('habeasConsent.said.analytics === false');
    expect(await status()).toBe('Your choice is kept.');
  });

  it('is not closed by who marks words in it and lets go beside it, but by a click there', async () => {
    const page = await open('', { viewport: { width: 1280, height: 800 } });
    await page.click(inTag('.banner .more'));
    const box = await page.locator(inTag('dialog .top p')).boundingBox();
    await page.mouse.move((box?.x ?? 0) + 20, (box?.y ?? 0) + 5);
    await page.mouse.down();
    await page.mouse.move(20, 20);
    await page.mouse.up();
    expect(await page.isVisible(inTag('dialog'))).toBe(true);
    await page.mouse.click(20, 20);
    expect(await page.isVisible(inTag('dialog'))).toBe(false);
  });

  it('shows markup in a notice as the text that it is, and links to pages only', async () => {
    const page = await open('data-language="xx"');
    expect(await page.textContent(inTag('.banner h2'))).toBe('<img src=x onerror="hacked=1">');
    expect(await page.textContent(inTag('.banner p'))).toBe('</p><script>hacked=1</script>');
    expect(await page.locator(inTag('a')).count()).toBe(0);
    await page.click(inTag('.banner .more'));
    expect(await page.getAttribute(inTag('.close'), 'aria-label')).toBe('" onclick="hacked=1');
    await page.click(inTag('.close'));
    expect(await page.locator(inTag(':is(img, script, svg, b, i)')).count()).toBe(0);
    expect(await page.evaluate('self.hacked')).toBeUndefined();
  });

  it('follows the jurisdiction: a banner, a link to opt out, or nothing', async () => {
    const banner = await open('data-region="DE"');
    expect(await isAsked(banner)).toBe(true);
    const link = await open('data-region="US-CA"');
    expect(await isAsked(link)).toBe(false);
    expect(await link.textContent(inTag('button.link'))).toBe('Do not sell or share my data');
    expect(
      await link.evaluate(`[habeasConsent.allowed('sale'), habeasConsent.allowed('analytics')]`),
    ).toEqual([true, false]);
    await link.click(inTag('button.link'));
    await link.click(inTag('dialog button >> text=Refuse all'));
    await link.waitForFunction(`habeasConsent.allowed('sale') === false`);
    const nothing = await open('data-region="JP"');
    expect([await isAsked(nothing), await nothing.isVisible(inTag('button.link'))]).toEqual([false, false]);
  });

  it('records no yes for what nobody touched, and does not ask again after that was saved', async () => {
    const page = await (await site.browse()).newPage();
    const posted: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') posted.push(request.url());
    });
    await page.route('**/consent/v1/notice*', async (route) => {
      const answer = await route.fetch();
      const notice = (await answer.json()) as { purposes: { legal_basis: string }[] };
      const purposes = notice.purposes.filter(({ legal_basis: basis }) => basis === 'opt_out');
      await route.fulfill({ response: answer, json: { ...notice, purposes } });
    });
    const url = site.page('/opt-out', BODY);
    await page.goto(url);
    await page.click(inTag('.banner .more'));
    await page.click(inTag('dialog .more'));
    await page.waitForSelector(inTag('.banner'), { state: 'hidden' });
    expect([await said(page), posted]).toEqual([{}, []]);
    expect(await remembered(page)).toMatchObject({ said: {}, outbox: [] });
    expect(await remembered(page)).not.toHaveProperty('id');
    await page.goto(url);
    await page.waitForSelector(inTag('button.link'));
    expect([await isAsked(page), await page.evaluate(`habeasConsent.allowed('sale')`)]).toEqual([
      false,
      true,
    ]);
  });

  it('asks nothing in words that are not there, and says so to who made the notice', async () => {
    const page = await (await site.browse()).newPage();
    const told: string[] = [];
    page.on('console', (message) => told.push(message.text()));
    await page.route('**/consent/v1/notice*', async (route) => {
      const answer = await route.fetch();
      const notice = (await answer.json()) as { texts: Record<string, string> };
      const { refuse: _, ...texts } = notice.texts;
      await route.fulfill({ response: answer, json: { ...notice, texts } });
    });
    await page.goto(site.page('/words', BODY));
    await page.evaluate('habeasConsent.ready');
    expect(await page.locator('habeas-consent').count()).toBe(0);
    expect(told.join()).toContain('lacks the texts refuse');
  });
});
