import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AskingHouse, asker, codeIn, openAskingHouse, tokenIn } from '../../test/asking-house.ts';
import { freePort } from '../../test/free-port.ts';
import { requireProgram } from '../../test/requirements.ts';

const program = requireProgram('chromium', '--version');
/** Where pictures of the page are put for people to look at; nowhere without it. */
const pictures = process.env.HABEAS_TEST_PICTURES;
const LANGUAGES = ['en', 'de', 'fr', 'es', 'nl', 'it', 'pl'] as const;

describe.skipIf(program === undefined)('the page on which people fetch their package', () => {
  let house: AskingHouse;
  let browser: Browser;
  let publicUrl: string;

  beforeAll(async () => {
    const port = await freePort();
    publicUrl = `http://127.0.0.1:${port}`;
    house = await openAskingHouse({ publicUrl, people: { tell: 'all' } });
    await house.app.listen({ port, host: '127.0.0.1' });
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  });

  afterAll(async () => {
    await browser.close();
    await house[Symbol.asyncDispose]();
  });

  /** A person's link, from the mail that tells them of their package. */
  async function linkFor(person: string, language?: string): Promise<string> {
    const identities = [{ type: 'email', value: `${person}@example.org` }];
    const more = language === undefined ? {} : { language };
    const { request } = await house.requests.receive(asker, {
      right: 'access',
      identities,
      dryRun: false,
      ...more,
    } as Parameters<typeof house.requests.receive>[1]);
    await house.inState(request.id, 'completed');
    // Received, started, completed.
    const mail = await house.mailTo(`${person}@example.org`, 3);
    tokenIn(mail);
    return /http:\S+\/package\S+/.exec(mail.parsed.text ?? '')?.[0] ?? '';
  }

  async function withPage(
    options: BrowserContextOptions,
    work: (page: Page, problems: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext(options);
    const problems: string[] = [];
    try {
      const page = await context.newPage();
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => {
        // An answer that is an error is shown to the person, and logged by the browser.
        if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
          problems.push(message.text());
      });
      await work(page, problems);
    } finally {
      await context.close();
    }
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (pictures === undefined) return;
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `${name}.png`) });
  }

  /** Buttons that are drawn as the one thing to do next. */
  const primaries = (page: Page): Promise<number> =>
    page.evaluate(
      `[...document.querySelectorAll('button, a.button')].filter((one) => one.offsetParent !== null && getComputedStyle(one).backgroundColor === 'rgb(29, 79, 145)').length`,
    );

  async function barriers(page: Page): Promise<readonly string[]> {
    await page.evaluate(axe.source);
    const { violations } = (await page.evaluate(
      `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
    )) as { violations: readonly { id: string; nodes: readonly { html: string }[] }[] };
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  it('is passed by keyboard alone, from the link in the mail to the file', async () => {
    const link = await linkFor('ada', 'de');
    await withPage({ locale: 'en-GB', acceptDownloads: true }, async (page, problems) => {
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      await page.goto(link);
      // The person asked in German, whatever this browser prefers.
      expect(await page.getAttribute('html', 'lang')).toBe('de');
      expect(await page.title()).toBe('Ihre Daten');
      expect(page.url()).not.toContain('#');
      expect(await barriers(page)).toEqual([]);
      expect(await primaries(page)).toBe(1);
      await picture(page, '1-ask');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#enter:not([hidden])');
      expect(await page.textContent('#told')).toContain('Er gilt 10 Minuten lang.');
      expect(await barriers(page)).toEqual([]);
      expect(await primaries(page)).toBe(1);
      await picture(page, '2-enter');
      const mail = await house.mailTo('ada@example.org', 4);
      expect(mail.parsed.subject).toBe('Ihr Code für Ihre Daten bei ACME');
      const code = codeIn(mail);
      await page.keyboard.type(code === '00000000' ? '00000001' : '00000000');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#alert:not(:empty)');
      expect(await page.textContent('#alert')).toContain('Der Code ist falsch');
      expect(await page.getAttribute('#code', 'aria-invalid')).toBe('true');
      expect(await page.evaluate('document.activeElement.id')).toBe('code');
      expect(await barriers(page)).toEqual([]);
      await picture(page, '3-wrong');
      await page.keyboard.press('Control+A');
      await page.keyboard.type(`${code.slice(0, 4)} ${code.slice(4)}`);
      await page.keyboard.press('Enter');
      await page.waitForSelector('#ready:not([hidden])');
      expect(await page.evaluate('document.activeElement.id')).toBe('download');
      expect(await barriers(page)).toEqual([]);
      expect(await primaries(page)).toBe(1);
      await picture(page, '4-ready');
      const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
      const stream = await download.createReadStream();
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).subarray(0, 2).toString()).toBe('PK');
      expect(problems).toEqual([]);
      // No URL has ever held the secret of the link.
      const token = new URL(link).hash.slice(1);
      expect(asked.filter((url) => url.includes(token))).toEqual([]);
    });
  });

  it('says in the language of the browser what is wrong with a link, without asking the server who it is', async () => {
    await withPage({ locale: 'fr-FR' }, async (page) => {
      await page.goto(`${publicUrl}/package`);
      expect(await page.textContent('#alert')).toContain('lien entier');
      expect(await page.isVisible('#ask')).toBe(false);
      expect(await barriers(page)).toEqual([]);
      await page.goto(`${publicUrl}/package?lang=xx#${'A'.repeat(43)}`);
      await page.reload();
      await page.goto(`${publicUrl}/package#${'B'.repeat(43)}`);
      await page.click('#ask button');
      await page.waitForSelector('#alert:not(:empty)');
      expect(await page.textContent('#alert')).toContain('n’est pas valable');
    });
  });

  it.each(LANGUAGES)('is all in one language, fits a phone and has no barrier: %s', async (language) => {
    const options = { locale: language, viewport: { width: 320, height: 640 }, colorScheme: 'dark' as const };
    await withPage(options, async (page, problems) => {
      await page.goto(`${publicUrl}/package#${'A'.repeat(43)}`);
      expect(await page.getAttribute('html', 'lang')).toBe(language);
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
      expect(await barriers(page)).toEqual([]);
      await page.evaluate(`for (const id of ['enter', 'ready']) document.getElementById(id).hidden = false;`);
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
      await picture(page, `phone-${language}`);
      expect(problems).toEqual([]);
    });
  });
});
