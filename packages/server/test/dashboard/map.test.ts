import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { eventually } from '../eventually.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, FITS, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

/** Names that a page must show as text and nothing else. */
const HOSTILE = {
  markup: '<img src=x onerror="document.title=1">',
  turned: 'a\u202egnp.exe',
  long: 'x'.repeat(190),
  object: 'constructor',
};

describe.skipIf(program === undefined)('the data map in the dashboard', () => {
  let house: House;
  let served: Served;
  let browser: Browser;

  beforeAll(async () => {
    [house, browser] = await Promise.all([openHouse(), openBrowser(), builtDashboard()]);
    served = await house.serve();
    await eventually('the map has the services of the example', async () => {
      const { counts } = await served.api.get<{ counts: { flows: number } }>('/api/v1/map');
      return counts.flows > 3;
    });
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  const node = (page: Page, name: string) => page.locator('.react-flow__node', { hasText: name });

  it.each(['light', 'dark'] as const)(
    'has no barrier as a picture, a table and a list of gaps, %s',
    async (colorScheme) => {
      await visit(
        browser,
        served.url,
        async ({ page, problems }) => {
          await signIn(page, house.key, '/app/map');
          await page.locator('.react-flow__node').first().waitFor();
          expect(await barriers(page)).toEqual([]);
          await picture(page, `map-${colorScheme}`);
          for (const view of ['table', 'gaps']) {
            await page.goto(`/app/map?view=${view}`);
            await page.locator('tbody tr').first().waitFor();
            expect([view, await barriers(page)]).toEqual([view, []]);
            await picture(page, `map-${view}-${colorScheme}`);
          }
          expect(problems).toEqual([]);
        },
        { colorScheme },
      );
    },
  );

  it('opens a team in place, tells of what is chosen, and shows where its data can end up; the address keeps all of it', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, '/app/map');
      const legend = page.getByRole('region', { name: 'Legend' });
      await legend.getByRole('button', { name: /shop/ }).click();
      await node(page, 'orders').first().click();
      const panel = page.getByRole('region', { name: 'Selection' });
      await panel.getByText('Service orders of shop').waitFor();
      await panel.getByRole('button', { name: 'Where can it end up?' }).click();
      const reach = page.getByRole('region', { name: 'Where data can end up' });
      await reach.getByText(/Data can end up in \d+ services/).waitFor();
      expect(await barriers(page)).toEqual([]);
      await picture(page, 'map-reach');
      const address = page.url();
      await page.goto('/app/map');
      await page.goto(address);
      await reach.getByText(/Data can end up in \d+ services/).waitFor();
      await page.getByRole('button', { name: 'Reset visualisation' }).click();
      await page.waitForURL('**/app/map');
      await page.locator('.react-flow__edge').first().waitFor();
      expect(problems).toEqual([]);
    });
  });

  it('is used by keyboard alone: a link is chosen and told of', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/map');
      await page.locator('.react-flow__edge').first().waitFor();
      await page.locator('.react-flow__edge').first().focus();
      await page.keyboard.press('Enter');
      const panel = page.getByRole('region', { name: 'Selection' });
      await panel.getByText('Data transmitted').waitFor();
      expect(await panel.textContent()).toMatch(/From .*To .*since/s);
      await picture(page, 'map-link');
    });
  });

  it('answers two clicks after the question where ip flows: the table and the picture agree', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/map');
      await page.getByLabel('Data type').selectOption('ip');
      await page.getByText('Table', { exact: true }).click();
      await page.waitForURL('**/map?data_type=ip&view=table');
      const flows = page.getByRole('region', { name: /Flows/ }).locator('tbody tr');
      await flows.first().waitFor();
      for (const text of await flows.allTextContents()) expect(text).toContain('ip');
    });
  });

  it('is saved as SVG and PNG', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, '/app/map');
      await page.locator('.react-flow__node').first().waitFor();
      const save = async (name: string) => {
        await page.getByRole('button', { name: 'Export' }).click();
        const [download] = await Promise.all([
          page.waitForEvent('download'),
          page.getByRole('menuitem', { name, exact: true }).first().click(),
        ]);
        return Buffer.concat((await Array.fromAsync(await download.createReadStream())) as Buffer[]);
      };
      const svg = (await save('SVG')).toString();
      expect(svg).toMatch(/^<svg .*<\/svg>$/s);
      expect(svg).toContain('>growth</text>');
      const png = await save('PNG');
      expect(png.subarray(1, 4).toString()).toBe('PNG');
      expect(png.length).toBeGreaterThan(5_000);
      expect(problems).toEqual([]);
    });
  });

  it('shows hostile names as text', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await page.route('**/api/v1/map*', async (route) => {
        const answer = await route.fetch();
        const map = await answer.json();
        const [flow] = map.flows;
        for (const name of Object.values(HOSTILE)) {
          map.flows.push({ ...flow, from: name, to: `${name}2`, team: name, data_type: name });
          map.services.push({ ...map.services[0], name, team: name });
        }
        await route.fulfill({ response: answer, json: map });
      });
      await signIn(page, house.key, '/app/map');
      await node(page, HOSTILE.markup).waitFor();
      await node(page, 'a�gnp.exe').waitFor();
      await node(page, HOSTILE.object).waitFor();
      expect(await page.locator('img').count()).toBe(0);
      expect(await page.evaluate(FITS)).toBe(true);
      await picture(page, 'map-hostile');
      await page.getByText('Table', { exact: true }).click();
      await page.getByRole('region', { name: /Flows/ }).getByText(HOSTILE.markup).first().waitFor();
      expect(await page.locator('img').count()).toBe(0);
      expect(await page.evaluate(FITS)).toBe(true);
      expect(problems).toEqual([]);
    });
  });
});
