import { MAP_EXPORT_FORMATS } from '@habeas/contract/api';
import { sql } from 'kysely';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { eventually } from '../eventually.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

const dayBefore = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

describe.skipIf(program === undefined)('the data map of another day', () => {
  let house: House;
  let served: Served;
  let browser: Browser;

  const push = (service: string, to: string) =>
    served.api.post('/api/v1/declarations', {
      source: service,
      ttl_seconds: 3_600,
      declarations: [
        { team: 'web', service, stores: ['phone'], transmits: [{ to_service: to, data_type: 'phone' }] },
      ],
    });

  beforeAll(async () => {
    [house, browser] = await Promise.all([openHouse(), openBrowser(), builtDashboard()]);
    served = await house.serve();
    await eventually('the map has the services of the example', async () => {
      const { counts } = await served.api.get<{ counts: { flows: number } }>('/api/v1/map');
      return counts.flows > 3;
    });
    await push('fax', 'analytics');
    await sql`
      update habeas.map_declarations set first_seen = first_seen - interval '10 days'`.execute(
      house.database.db,
    );
    await sql`
      update habeas.map_declarations set last_seen = now() - interval '1 day' where service = 'fax'`.execute(
      house.database.db,
    );
    await push('kiosk', 'mailer');
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  it.each(['light', 'dark'] as const)(
    'is compared with today: what came and what went is coloured and marked, and the table says the same, %s',
    async (colorScheme) => {
      await visit(
        browser,
        served.url,
        async ({ page, problems }) => {
          await signIn(page, house.key, '/app/map');
          await page.locator('.react-flow__node').first().waitFor();
          await page.getByLabel('Compare to').fill(dayBefore(3));
          await page.getByText('compared: 2 added, 2 removed, 0 changed').waitFor();
          const edge = (sign: string) => page.locator('.react-flow__edge', { hasText: `${sign} phone` });
          await edge('+').waitFor({ state: 'attached' });
          await edge('−').waitFor({ state: 'attached' });
          const style = async (sign: string) =>
            (await edge(sign).locator('.react-flow__edge-path').getAttribute('style')) ?? '';
          const [added, removed] = [await style('+'), await style('−')];
          expect([added.includes('dasharray'), removed.includes('dasharray')]).toEqual([false, true]);
          expect([added.includes('teal'), removed.includes('red')]).toEqual([true, true]);
          expect(await barriers(page)).toEqual([]);
          await picture(page, `map-compared-${colorScheme}`);
          await page.getByText('Table', { exact: true }).click();
          const changes = page.getByRole('region', { name: 'Changes' });
          await changes.getByRole('row', { name: /\+ added flow kiosk mailer phone/ }).waitFor();
          await changes.getByRole('row', { name: /− removed flow fax analytics phone/ }).waitFor();
          expect(await changes.locator('tbody tr').count()).toBe(4);
          expect(await barriers(page)).toEqual([]);
          expect(page.url()).toContain(`compare_to=${dayBefore(3)}`);
          expect(problems).toEqual([]);
        },
        { colorScheme },
      );
    },
  );

  it('is shown as it was', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/map?view=table');
      const flows = page.getByRole('region', { name: /Flows/ });
      await flows.getByRole('row', { name: /^kiosk/ }).waitFor();
      expect(await flows.getByRole('row', { name: /^fax/ }).count()).toBe(0);
      await page.getByLabel('As of').fill(dayBefore(3));
      await flows.getByRole('row', { name: /^fax/ }).waitFor();
      expect(await flows.getByRole('row', { name: /^kiosk/ }).count()).toBe(0);
      await page.getByLabel('As of').fill(dayBefore(40));
      await page.getByText('There is nothing on this map').or(flows.getByText('No flow fits.')).waitFor();
    });
  });

  it('finds a service by a part of its name, in the picture and in the table', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/map');
      await page.locator('.react-flow__node').first().waitFor();
      await page.getByLabel('Find').fill('kios');
      await expect
        .poll(() => page.locator('.react-flow__node:not(.faint)').allTextContents())
        .toEqual([expect.stringContaining('web')]);
      await page.getByText('Table', { exact: true }).click();
      await page
        .getByRole('region', { name: 'Flows (1)' })
        .getByRole('row', { name: /^kiosk/ })
        .waitFor();
    });
  });

  it('tells of a team that is chosen, and which colour is whose', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, `/app/map?chosen=${encodeURIComponent('team:shop')}`);
      const panel = page.getByRole('region', { name: 'Selection' });
      await panel.getByText('Team shop').waitFor();
      expect(await panel.textContent()).toMatch(/Services.*orders.*Stores.*Gets data from.*Sends data to/s);
      const legend = page.getByRole('region', { name: 'Legend' });
      expect(await legend.getByRole('button').allTextContents()).toEqual([
        'DA data',
        'GR growth',
        'ID identity',
        'SH shop',
        'WE web',
        '? no team',
      ]);
    });
  });

  it('leads back around the boxes', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/map');
      await page.locator('.react-flow__node').first().waitFor();
      const crossed = await page.evaluate(`(() => {
        const boxes = [...document.querySelectorAll('.react-flow__node')].map((node) => node.getBoundingClientRect());
        return [...document.querySelectorAll('.react-flow__edge-path')].filter((path) => path.getAttribute('d').includes('Q')).map((path) => {
            const { a, b, c, d, e, f } = path.getScreenCTM();
            const length = path.getTotalLength();
            return Array.from({ length: 200 }, (_, step) => path.getPointAtLength((length * (step + 0.5)) / 200)).filter(({ x, y }) => {
              const [left, top] = [a * x + c * y + e, b * x + d * y + f];
              return boxes.some((box) => left > box.left + 1 && left < box.right - 1 && top > box.top + 1 && top < box.bottom - 1);
            }).length;
          }).reduce((sum, count) => sum + count, 0);
      })()`);
      expect(await page.locator('.react-flow__edge-path[d*="Q"]').count()).toBeGreaterThan(0);
      expect(crossed).toBe(0);
    });
  });

  it('is exported in every format of the API', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, '/app/map?data_type=phone');
      await page.locator('.react-flow__node').first().waitFor();
      for (const format of MAP_EXPORT_FORMATS) {
        await page.getByRole('button', { name: 'Export' }).click();
        const [download] = await Promise.all([
          page.waitForEvent('download'),
          page.getByRole('menuitem', { name: format, exact: true }).last().click(),
        ]);
        const bytes = Buffer.concat((await Array.fromAsync(await download.createReadStream())) as Buffer[]);
        expect([format, bytes.toString('latin1').includes('kiosk') || format.includes('xlsx')]).toEqual([
          format,
          true,
        ]);
      }
      expect(problems).toEqual([]);
    });
  });
});
