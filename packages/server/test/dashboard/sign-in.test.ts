import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

describe.skipIf(program === undefined)('who comes to the dashboard', () => {
  let house: House;
  let served: Served;
  let browser: Browser;

  beforeAll(async () => {
    [house, browser] = await Promise.all([openHouse(), openBrowser(), builtDashboard()]);
    served = await house.serve();
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  it('signs in by keyboard with a key, is told when it is wrong, and signs out', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await page.goto('/');
      await page.waitForSelector('h1');
      expect(await barriers(page)).toEqual([]);
      await picture(page, 'sign-in');
      await page.keyboard.press('Tab');
      await page.keyboard.type('not-a-key');
      await page.keyboard.press('Enter');
      await page.waitForSelector('text=not known here');
      expect(await barriers(page)).toEqual([]);
      await page.fill('input[name=key]', '');
      await page.focus('input[name=key]');
      await page.keyboard.type(house.key);
      await page.keyboard.press('Enter');
      await page.waitForSelector('nav[aria-label=Pages]');
      expect(new URL(page.url()).pathname).toBe('/app');
      // A reload finds the session again; no script of the page can read it.
      await page.reload();
      await page.waitForSelector('nav[aria-label=Pages]');
      expect(await page.evaluate('document.cookie')).toBe('');
      expect(await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage })')).not.toContain(
        house.key,
      );
      await page.click('text=Sign out');
      await page.waitForSelector('input[name=key]');
      expect(problems).toEqual([]);
    });
  });

  it('signs out in all tabs at once', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key);
      const other = await page.context().newPage();
      await other.goto('/app');
      await other.click('text=Sign out');
      await page.waitForSelector('input[name=key]');
      await signIn(other, house.key);
      await page.waitForSelector('nav[aria-label=Pages]');
    });
  });

  it('is told of a page that does not exist, in light and in dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await visit(
        browser,
        served.url,
        async ({ page, problems }) => {
          await signIn(page, house.key, '/app/nothing/here');
          await page.waitForSelector('text=There is no such page');
          expect(await barriers(page)).toEqual([]);
          await picture(page, `not-found-${colorScheme}`);
          expect(problems).toEqual([]);
        },
        { colorScheme },
      );
    }
  });
});
