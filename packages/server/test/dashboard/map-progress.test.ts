import type { api } from '@habeas/contract';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { eventually } from '../eventually.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, FITS, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

describe.skipIf(program === undefined)('the progress of a request on the data map', () => {
  let house: House;
  let served: Served;
  let browser: Browser;
  let request: string;
  let ticket: api.TicketView;

  beforeAll(async () => {
    [house, browser] = await Promise.all([openHouse(), openBrowser(), builtDashboard()]);
    served = await house.serve();
    const identities = [{ type: 'email', value: house.acme.subject(5).email }];
    request = (await served.api.ask({ right: 'access', identities })).id;
    await eventually('only the ticket is left', async () => {
      const { items } = await served.api.get<{ items: api.TicketView[] }>('/api/v1/tickets?state=open');
      const found = items.find((one) => one.request_id === request);
      if (found !== undefined) ticket = found;
      const tasks = await served.api.tasks(request);
      const working = tasks.filter(({ system, state }) => system !== null && state !== 'succeeded');
      return found !== undefined && working.length === 1;
    });
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  it.each(['light', 'dark'] as const)(
    'is led to from the page of the request and back, and marked by signs and words, %s',
    async (colorScheme) => {
      await visit(
        browser,
        served.url,
        async ({ page, problems }) => {
          await signIn(page, house.key, `/app/requests/${request}`);
          await page.getByRole('link', { name: 'Show on the map' }).click();
          await page.waitForURL(`**/app/map?request=${request}`);
          const node = (name: string) => page.locator('.react-flow__node', { hasText: name });
          await node('data').getByText('◷ waiting').waitFor();
          await node('shop').getByText('✓ done').waitFor();
          expect(await barriers(page)).toEqual([]);
          expect(await page.evaluate(FITS)).toBe(true);
          await picture(page, `map-progress-${colorScheme}`);
          const bar = page.getByRole('region', { name: 'Progress of a request' });
          await bar.getByText('◷ waiting: 1').waitFor();
          await page.getByText('Table', { exact: true }).click();
          const table = page.getByRole('region', { name: 'Progress of the request' });
          await table.getByRole('row', { name: /^orders shop .*done/ }).waitFor();
          await table.getByRole('row', { name: /^analytics data .*waiting.*ticket: waiting/ }).waitFor();
          expect(await barriers(page)).toEqual([]);
          await picture(page, `map-progress-table-${colorScheme}`);
          await bar.getByRole('link', { name: request }).click();
          await page.waitForURL(`**/app/requests/${request}`);
          expect(problems).toEqual([]);
        },
        { colorScheme },
      );
    },
  );

  it('of one that is not there says so, and leaves the map', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/map?request=req_none');
      await page.getByRole('alert').getByText('There is no request').first().waitFor();
      await page.getByRole('button', { name: 'Take it off the map' }).click();
      await page.waitForURL('**/app/map');
      await page.locator('.react-flow__node').first().waitFor();
      expect(await page.locator('.react-flow__node.faint').count()).toBe(0);
    });
  });

  it('follows what happens without loading the page again', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, `/app/map?request=${request}`);
      const data = page
        .locator('.react-flow__node', { hasText: 'analytics' })
        .or(page.locator('.react-flow__node', { hasText: 'data' }));
      await data.getByText('◷ waiting').waitFor();
      await served.api.post(`/api/v1/tickets/${ticket.id}:close`, { note: 'Nothing there.', count: 0 });
      await data.getByText('✓ done').waitFor();
      await page.getByText('◷ waiting: 0').waitFor();
      expect(problems).toEqual([]);
    });
  });
});
