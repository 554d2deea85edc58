import type { api } from '@habeas/contract';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, openBrowser, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');
const PAGES = [
  'requests',
  'tickets',
  'map',
  'catalog',
  'holds',
  'policy',
  'consent',
  'connections',
  'audit',
  'settings',
];
/** Of everything but who is signed in. */
const DATA = /\/api\/v1\/(?!session|events)/;

describe.skipIf(program === undefined)('every page of the dashboard', () => {
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

  it('says that it is loading, then what went wrong, and leads on', async () => {
    const problem = {
      type: 'x',
      title: 'Not now',
      status: 400,
      code: 'CONFLICT',
      detail: 'A reason to read',
      instance: 'x',
    };
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key);
      for (const path of PAGES) {
        const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
        await page.route(DATA, async (route) => {
          await held;
          await route.fulfill({
            status: 400,
            contentType: 'application/problem+json',
            body: JSON.stringify(problem),
          });
        });
        await page.goto(`/app/${path}`);
        await page.getByText('Loading').first().waitFor({ state: 'attached' });
        letGo();
        await page.getByText('A reason to read').first().waitFor();
        expect.soft(await page.getByRole('button', { name: 'Try again' }).count(), path).toBeGreaterThan(0);
        expect.soft(await barriers(page), path).toEqual([]);
        await page.unroute(DATA);
      }
    });
  });

  it('says to whoever may not see it that they may not, and offers nothing else of it', async () => {
    const body = { name: 'nearly nothing', scopes: ['server:read'] };
    const { key } = await served.api.post<api.NewApiKeyView>('/api/v1/api-keys', body);
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, key);
      expect(await page.getByRole('navigation', { name: 'Pages' }).textContent()).toBe('Home');
      for (const path of PAGES) {
        await page.goto(`/app/${path}`);
        const told = page.getByText('You may not see this').first();
        await expect.soft(told.waitFor({ timeout: 5_000 }), path).resolves.toBeUndefined();
        expect.soft(await barriers(page), path).toEqual([]);
      }
      expect(problems).toEqual([]);
    });
  });
});
