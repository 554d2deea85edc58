import type { api } from '@habeas/contract';
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

describe.skipIf(program === undefined)('the dashboard on a bad day', () => {
  let house: House;
  let served: Served;
  let browser: Browser;
  let open: api.RequestView;

  beforeAll(async () => {
    [house, browser] = await Promise.all([openHouse(), openBrowser(), builtDashboard()]);
    served = await house.serve();
    const identities = [{ type: 'email', value: house.acme.subject(4).email }];
    open = await served.api.ask({ right: 'access', identities });
    await served.api.until(open.id, 'running');
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  const rows = (page: Page) => page.locator('tbody tr');
  /** Holds back the answers to calls that fit, until `letGo`. */
  const holdBack = async (page: Page, url: string) => {
    const held: Route[] = [];
    await page.route(url, (route) => {
      held.push(route);
    });
    return {
      held,
      letGo: async () => {
        await page.unroute(url);
        await Promise.all(held.splice(0).map((route) => route.continue().catch(() => undefined)));
      },
    };
  };
  const begin = async (page: Page, act: string, reason: string) => {
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: `${act}…` }).click();
    await page.getByLabel('Reason').fill(reason);
    return page.getByRole('dialog').getByRole('button', { name: act, exact: true });
  };

  it('says that the server is slow, keeps what it has, and shows the answer when it comes', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key);
      await page.getByRole('heading', { name: 'What needs you' }).waitFor();
      const { letGo } = await holdBack(page, '**/api/v1/requests?*');
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Requests' }).click();
      await page.getByRole('heading', { name: 'Requests', level: 1 }).waitFor();
      await page.getByRole('status').getByText('Loading').waitFor();
      await page.getByText('The server takes long to answer').waitFor();
      expect(await barriers(page)).toEqual([]);
      await picture(page, 'slow-server');
      await letGo();
      await rows(page).first().waitFor();
      await expect.poll(() => page.getByText('The server takes long').count()).toBe(0);
      expect(problems).toEqual([]);
    });
  });

  it('shows the last filter, in whatever order answers come', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/requests');
      await rows(page).first().waitFor();
      const { held, letGo } = await holdBack(page, '**/api/v1/requests?right=erasure*');
      await page.getByLabel('Right').selectOption('erasure');
      await expect.poll(() => held.length).toBe(1);
      await page.getByLabel('Right').selectOption('access');
      await rows(page).getByText(open.id).waitFor();
      await letGo();
      await page.waitForTimeout(500);
      expect(await rows(page).getByText(open.id).count()).toBe(1);
      expect(page.url()).toContain('right=access');
      await page.goBack();
      await page.getByText('No request fits this filter').waitFor();
    });
  });

  it('does an act once, however often its button is pressed while the server is slow', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, `/app/requests/${open.id}`);
      const { held, letGo } = await holdBack(page, '**/api/v1/requests/*:hold');
      const button = await begin(page, 'Hold', 'Once');
      await button.click();
      await expect.poll(() => held.length).toBe(1);
      await button.press('Enter');
      await button.click({ force: true });
      await page.waitForTimeout(300);
      expect(held).toHaveLength(1);
      await letGo();
      await page.getByRole('heading', { name: /Access held/ }).waitFor();
      await served.api.post(`/api/v1/requests/${open.id}:release`);
      expect(problems).toEqual([]);
    });
  });

  it('keeps what was typed when the connection is lost on the way, and sends it when asked again', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, `/app/requests/${open.id}`);
      await page.getByRole('heading', { name: /Access running/ }).waitFor();
      await page.route('**/*:hold', (route) => route.abort('connectionreset'));
      const button = await begin(page, 'Hold', 'Typed with care');
      await button.click();
      await page.getByRole('alert').getByText('What you typed is still here').waitFor();
      expect(await page.getByLabel('Reason').inputValue()).toBe('Typed with care');
      expect(await barriers(page)).toEqual([]);
      await page.unroute('**/*:hold');
      await button.click();
      await page.getByRole('heading', { name: /Access held/ }).waitFor();
      expect((await served.api.request(open.id)).reason).toBe('Typed with care');
      await served.api.post(`/api/v1/requests/${open.id}:release`);
    });
  });

  it.each([
    [
      'an error of the server',
      503,
      'application/problem+json',
      {
        title: 'Unavailable',
        status: 503,
        code: 'UNAVAILABLE',
        detail: 'The database restarts.',
        instance: 'x',
      },
      /Something went wrong|Unavailable/,
    ],
    [
      'the page of something in between',
      502,
      'text/html',
      '<h1>Bad gateway</h1>',
      /does not understand|Something went wrong/,
    ],
    ['an answer of another version', 200, 'application/json', { rows: [] }, /does not understand/],
  ] as const)('leads on after %s', async (_, status, contentType, body, words) => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key);
      await page.getByRole('heading', { name: 'What needs you' }).waitFor();
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      await page.route('**/api/v1/requests?*', (route) => route.fulfill({ status, contentType, body: text }));
      await page.goto('/app/requests');
      await page.getByRole('alert').getByText(words).first().waitFor({ timeout: 20_000 });
      expect(await barriers(page)).toEqual([]);
      expect(await page.locator('main').textContent()).not.toContain('<h1>');
      await page.unroute('**/api/v1/requests?*');
      await page.getByRole('button', { name: 'Try again' }).click();
      await rows(page).first().waitFor();
    });
  });

  it('tells the second of two tabs what the first did, and refuses what came too late there', async () => {
    await visit(browser, served.url, async ({ page: first, problems }) => {
      await signIn(first, house.key, `/app/requests/${open.id}`);
      const second = await first.context().newPage();
      await second.goto(`/app/requests/${open.id}`);
      await second.getByRole('heading', { name: /Access running/ }).waitFor();
      const tooLate = await begin(second, 'Hold', 'In the second tab');
      await (await begin(first, 'Hold', 'In the first tab')).click();
      await first.getByRole('heading', { name: /Access held/ }).waitFor();
      await tooLate.click();
      await second.getByRole('alert').getByText('held').first().waitFor();
      expect(await second.getByLabel('Reason').inputValue()).toBe('In the second tab');
      await second.getByRole('dialog').getByRole('button', { name: 'Back' }).click();
      await second.getByRole('heading', { name: /Access held/ }).waitFor();
      expect((await served.api.request(open.id)).reason).toBe('In the first tab');
      await served.api.post(`/api/v1/requests/${open.id}:release`);
      await second.getByRole('heading', { name: /Access running/ }).waitFor();
      await first.getByRole('heading', { name: /Access running/ }).waitFor();
      expect(problems).toEqual([]);
    });
  });
});
