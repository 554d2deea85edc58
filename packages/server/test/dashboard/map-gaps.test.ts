import type { api } from '@habeas/contract';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { eventually } from '../eventually.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, FITS, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

describe.skipIf(program === undefined)('what the data map proposes, in the dashboard', () => {
  let house: House;
  let served: Served;
  let browser: Browser;
  let lookerKey: string;

  beforeAll(async () => {
    [house, browser] = await Promise.all([
      openHouse({ config: { clients: { allow: [] } } }),
      openBrowser(),
      builtDashboard(),
    ]);
    served = await house.serve();
    const declaration = {
      team: 'web',
      service: 'kiosk',
      stores: ['mobile_number'],
      transmits: [{ to_service: 'printer', data_type: 'mobile_number' }],
    };
    await served.api.post('/api/v1/declarations', {
      source: 'kiosk',
      ttl_seconds: 3_600,
      declarations: [declaration],
    });
    lookerKey = (
      await served.api.post<api.NewApiKeyView>('/api/v1/api-keys', {
        name: 'looks',
        scopes: ['map:read'],
        teams: null,
      })
    ).key;
    await eventually('the map has the gaps', async () => {
      const { items } = await gaps();
      return items.some(({ service }) => service === 'printer');
    });
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  const gaps = (query = '') => served.api.get<api.GapListView>(`/api/v1/gaps${query}`);

  it.each(['light', 'dark'] as const)(
    'marks in the picture what has a gap, and lists it in the panel, %s',
    async (colorScheme) => {
      await visit(
        browser,
        served.url,
        async ({ page, problems }) => {
          await signIn(page, house.key, `/app/map?chosen=${encodeURIComponent('team:no team')}`);
          const panel = page.getByRole('region', { name: 'Selection' });
          await panel.getByText('sends personal data to printer').waitFor();
          await panel.getByRole('button', { name: 'Approve: undeclared-receiver printer' }).waitFor();
          await page.locator('.react-flow__node', { hasText: '⚠' }).first().waitFor();
          expect(await barriers(page)).toEqual([]);
          await picture(page, `map-proposals-${colorScheme}`);
          await page.goto('/app/map?view=gaps');
          await page.getByRole('button', { name: 'Approve: undeclared-receiver printer' }).waitFor();
          expect(await barriers(page)).toEqual([]);
          expect(await page.evaluate(FITS)).toBe(true);
          await picture(page, `map-gaps-acts-${colorScheme}`);
          expect(problems).toEqual([]);
        },
        { colorScheme },
      );
    },
  );

  it('a category that a name suggests is approved by keyboard, and is on the map at once', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, '/app/map?view=gaps');
      await page.getByText('Proposed: user.contact.phone_number').waitFor();
      await page.getByRole('button', { name: 'Approve: data-type-without-category mobile_number' }).focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Reason').fill('The kiosk asks for it');
      expect(await barriers(page)).toEqual([]);
      await picture(page, 'map-classify');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByText('Proposed: user.contact.phone_number').waitFor({ state: 'detached' });
      await page.getByRole('switch', { name: 'Also what is approved' }).press('Space');
      await page.waitForURL('**/map?view=gaps&approved=true');
      const row = page.getByRole('row', { name: /data-type-without-category.*mobile_number/ });
      await row.getByText('The kiosk asks for it').waitFor();
      const { stores } = await served.api.get<api.MapView>('/api/v1/map?category=user.contact.phone_number');
      expect(stores.map(({ service }) => service)).toContain('kiosk');
      await row.getByRole('button', { name: /Take back/ }).click();
      await dialog.getByLabel('Reason').fill('It was a test');
      await dialog.getByRole('button', { name: 'Take back' }).click();
      await row.getByText('Proposed: user.contact.phone_number').waitFor();
      expect(problems).toEqual([]);
    });
  });

  it('a service that nobody declared is approved or rejected in the picture, with the reason', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, `/app/map?chosen=${encodeURIComponent('team:no team')}`);
      const panel = page.getByRole('region', { name: 'Selection' });
      const dialog = page.getByRole('dialog');
      await panel.getByRole('button', { name: 'Reject: undeclared-receiver printer' }).click();
      await dialog.getByLabel('Reason').fill('No contract with it');
      await dialog.getByRole('button', { name: 'Reject' }).click();
      await panel.getByText('No contract with it').waitFor();
      expect((await gaps('?service=printer')).items.map(({ decision }) => decision?.decision)).toEqual([
        'rejected',
      ]);
      await panel.getByRole('button', { name: 'Take back: undeclared-receiver printer' }).click();
      await dialog.getByLabel('Reason').fill('Now there is one');
      await dialog.getByRole('button', { name: 'Take back' }).click();
      await panel.getByRole('button', { name: 'Approve: undeclared-receiver printer' }).click();
      await dialog.getByLabel('Reason').fill('It prints for us');
      await dialog.getByRole('button', { name: 'Approve' }).click();
      await panel.getByText('sends personal data to printer').waitFor({ state: 'detached' });
      const { items } = await gaps('?approved=true&service=printer');
      const { items: entries } = await served.api.get<{ items: { action: string }[] }>(
        `/api/v1/audit?subject=${items[0]?.id}`,
      );
      expect(entries.map(({ action }) => action).toSorted()).toEqual([
        'gap.approved',
        'gap.rejected',
        'gap.reopened',
      ]);
      expect(problems).toEqual([]);
    });
  });

  it('an address of a team is approved where its gap is', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/map?view=gaps');
      const row = page.getByRole('row', { name: /says that .* answers requests/ }).first();
      await row.getByRole('button', { name: /Reject/ }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Reason').fill('Not yet');
      await dialog.getByRole('button', { name: 'Reject' }).click();
      await expect.poll(() => dialog.count()).toBe(0);
      const { items } = await served.api.get<{ items: api.ClientView[] }>('/api/v1/clients');
      expect(items.filter(({ state }) => state === 'rejected').map(({ reason }) => reason)).toEqual([
        'Not yet',
      ]);
    });
  });

  it('who may only look sees what is proposed, and no button', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, lookerKey, '/app/map?view=gaps&approved=true');
      await page
        .getByRole('row', { name: /undeclared-receiver/ })
        .first()
        .waitFor();
      expect(await page.getByRole('button', { name: /Approve|Reject|Take back/ }).count()).toBe(0);
      expect(await barriers(page)).toEqual([]);
    });
  });
});
