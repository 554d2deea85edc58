import type { api } from '@habeas/contract';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { eventually } from '../eventually.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, FITS, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

describe.skipIf(program === undefined)('the catalog in the dashboard', () => {
  let house: House;
  let served: Served;
  let browser: Browser;

  beforeAll(async () => {
    [house, browser] = await Promise.all([openHouse(), openBrowser(), builtDashboard()]);
    served = await house.serve();
    await eventually('the map has the services of the example', async () => {
      const { total } = await served.api.get<api.CatalogPage>('/api/v1/catalog?service=mailer');
      return total > 0;
    });
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  const keyFor = async (scopes: readonly api.Scope[], teams: readonly string[] | null) =>
    (await served.api.post<api.NewApiKeyView>('/api/v1/api-keys', { name: 'a reader', scopes, teams })).key;

  it.each(['light', 'dark'] as const)('has no barrier, also with an entry open, %s', async (colorScheme) => {
    await visit(
      browser,
      served.url,
      async ({ page, problems }) => {
        await signIn(page, house.key, '/app/catalog?system=shop');
        await page.getByRole('button', { name: 'Tell of customers.email of shop' }).click();
        const panel = page.getByRole('region', { name: 'Entry' });
        await panel.getByText('user.contact.email').first().waitFor();
        expect(await barriers(page)).toEqual([]);
        expect(await page.evaluate(FITS)).toBe(true);
        await picture(page, `catalog-${colorScheme}`);
        expect(problems).toEqual([]);
      },
      { colorScheme },
    );
  });

  it('is filtered by keyboard, keeps that in its address, leads to the map and back', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, '/app/catalog');
      await page.getByLabel('Category').selectOption('user.contact.email');
      await page.waitForURL('**/app/catalog?category=user.contact.email');
      const tell = page.getByRole('button', { name: 'Tell of customers.email of shop' });
      await tell.focus();
      await page.keyboard.press('Enter');
      const address = page.url();
      await page.getByRole('link', { name: 'Show on the map' }).click();
      await page.waitForURL('**/app/map?service=orders');
      await page.goto(`/app/map?chosen=${encodeURIComponent('team:shop')}`);
      await page.getByRole('link', { name: 'Fields in the catalog' }).click();
      await page.waitForURL('**/app/catalog?team=shop');
      await page.goto(address);
      await page.getByRole('region', { name: 'Entry' }).getByText('email').first().waitFor();
      await page.getByRole('button', { name: 'Show everything' }).click();
      await page.waitForURL('**/app/catalog');
      expect(problems).toEqual([]);
    });
  });

  it('is exported as CSV, all that fit', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/catalog?system=shop');
      await page.getByRole('button', { name: 'Tell of customers.email of shop' }).waitFor();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Export CSV' }).click(),
      ]);
      const text = Buffer.concat((await Array.fromAsync(await download.createReadStream())) as Buffer[]);
      const { total } = await served.api.get<api.CatalogPage>('/api/v1/catalog?system=shop');
      expect(text.toString().trim().split('\r\n')).toHaveLength(total + 1);
      expect(text.toString()).toContain(
        'shop,postgres,orders,shop,shop,customers,email,email,user.contact.email,',
      );
    });
  });

  it('says that nothing fits, that it went wrong, and that somebody may not see it', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/catalog?team=nobody');
      await page.getByText('Nothing fits.').waitFor();
      expect(await barriers(page)).toEqual([]);
      await page.route('**/api/v1/catalog*', (route) =>
        route.fulfill({
          status: 503,
          contentType: 'application/problem+json',
          body: JSON.stringify({
            type: 'x',
            title: 'Unavailable',
            status: 503,
            detail: 'Not now.',
            code: 'UNAVAILABLE',
          }),
        }),
      );
      await page.goto('/app/catalog');
      await page.getByRole('alert').getByText('Not now.').waitFor();
      await page.unroute('**/api/v1/catalog*');
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('button', { name: 'Tell of customers.email of shop' }).waitFor();
    });
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, await keyFor(['requests:read'], null), '/app/catalog');
      await page.getByText('This needs the scope map:read').waitFor();
      expect(await barriers(page)).toEqual([]);
    });
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, await keyFor(['map:read'], ['growth']), '/app/catalog');
      await page
        .getByRole('row', { name: /mailer/ })
        .first()
        .waitFor();
      expect(await page.getByLabel('Team').locator('option').allTextContents()).toEqual(['Any', 'growth']);
    });
  });
});
