import type { BrowserContextOptions, Page } from 'playwright-core';
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
    const page = await open('', { viewport: { width: 1000, height: 500 } });
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

  it('reads from right to left in languages that do', async () => {
    const page = await open('data-language="ar"', { viewport: { width: 1280, height: 800 } });
    const host = page.locator('habeas-consent');
    expect([await host.getAttribute('dir'), await host.getAttribute('lang')]).toEqual(['rtl', 'ar']);
    const at = async (selector: string) => (await page.locator(inTag(selector)).boundingBox())?.x ?? 0;
    expect(await at('h2 >> nth=0')).toBeGreaterThan(await at('.banner .actions'));
    expect(await barriers(page)).toEqual([]);
    await page.click(inTag('.banner .more'));
    expect(await at('li:nth-child(2) .name')).toBeGreaterThan(await at('li:nth-child(2) input'));
    expect(await barriers(page)).toEqual([]);
    await picture(page, 'right-to-left');
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
