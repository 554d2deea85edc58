import type { api } from '@habeas/contract';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { eventually } from '../eventually.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, FITS, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

describe.skipIf(program === undefined)('the work of a day in the dashboard', () => {
  let house: House;
  let served: Served;
  let browser: Browser;
  /** Of a member of the team `data`, and of nobody's team. */
  let memberKey: string;
  let strangerKey: string;
  let ticket: api.TicketView;

  const keyFor = async (teams: readonly string[]) => {
    const scopes = ['tickets:read', 'tickets:write', 'map:read'];
    return (await served.api.post<api.NewApiKeyView>('/api/v1/api-keys', { name: 'a team', scopes, teams }))
      .key;
  };

  beforeAll(async () => {
    [house, browser] = await Promise.all([openHouse(), openBrowser(), builtDashboard()]);
    served = await house.serve();
    const identities = [{ type: 'email', value: house.acme.subject(5).email }];
    const { id } = await served.api.ask({ right: 'access', identities });
    [memberKey, strangerKey] = await Promise.all([keyFor(['data']), keyFor(['nobody'])]);
    await eventually('the team has a ticket', async () => {
      const { items } = await served.api.get<{ items: api.TicketView[] }>('/api/v1/tickets?state=open');
      const found = items.find((one) => one.request_id === id);
      if (found !== undefined) ticket = found;
      return found !== undefined;
    });
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  it.each(['light', 'dark'] as const)(
    'has no barrier at home, at tickets and at connections, %s',
    async (colorScheme) => {
      await visit(
        browser,
        served.url,
        async ({ page, problems }) => {
          await signIn(page, house.key);
          await page.getByRole('heading', { name: 'Gaps in the map' }).waitFor();
          await page.getByRole('heading', { name: 'Tickets' }).waitFor();
          expect(await barriers(page)).toEqual([]);
          expect(await page.evaluate(FITS)).toBe(true);
          await picture(page, `home-${colorScheme}`);
          for (const path of [
            'tickets',
            `tickets/${ticket.id}`,
            'connections',
            'audit',
            'audit?subject=nothing',
          ]) {
            await page.goto(`/app/${path}`);
            await page.locator('table, section').first().waitFor();
            expect([path, await barriers(page)]).toEqual([path, []]);
            expect([path, await page.evaluate(FITS)]).toEqual([path, true]);
            await picture(page, `${path.replace(/\/.*/, '-one').replace('?', '-')}-${colorScheme}`);
          }
          expect(problems).toEqual([]);
        },
        { colorScheme },
      );
    },
  );

  it('leads from what needs somebody to the act', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key);
      await page.getByRole('region', { name: 'Tickets' }).getByRole('link').first().click();
      await page.getByRole('heading', { name: 'Done?' }).waitFor();
      expect(page.url()).toContain(`/app/tickets/${ticket.id}`);
      await page.goBack();
      await page.getByRole('region', { name: 'Gaps in the map' }).getByRole('link').first().click();
      await page.getByRole('heading', { name: 'Data map' }).waitFor();
    });
  });

  it('shows a team its own tickets alone, and nothing that it may not do', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, strangerKey, '/app/tickets');
      await page.getByText('No ticket is open').waitFor();
      expect(await page.getByRole('navigation', { name: 'Pages' }).textContent()).toBe(
        'HomeTicketsData mapCatalog',
      );
      expect(await barriers(page)).toEqual([]);
      await page.goto(`/app/tickets/${ticket.id}`);
      await page.getByRole('alert').getByText('There is no ticket').waitFor();
      await page.goto('/app/requests');
      await page.getByText('You may not see this').waitFor();
      expect(await barriers(page)).toEqual([]);
      expect(problems).toEqual([]);
    });
  });

  it('gives a ticket to another team, which sees it from then on, and back from the page of the request', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, `/app/tickets/${ticket.id}`);
      await page.getByRole('button', { name: 'Reassign' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Team').fill('nobodys');
      await dialog.getByLabel('Reason').fill('They have the files');
      expect(await barriers(page)).toEqual([]);
      await picture(page, 'reassign');
      await dialog.getByRole('button', { name: 'Reassign' }).click();
      await dialog.getByRole('alert').getByText('There are data, growth, identity, shop.').waitFor();
      await dialog.getByLabel('Team').fill('growth');
      await dialog.getByRole('button', { name: 'Reassign' }).click();
      await expect.poll(() => dialog.count()).toBe(0);
      const read = (key: string) =>
        fetch(`${served.url}/api/v1/tickets/${ticket.id}`, { headers: { authorization: `Bearer ${key}` } });
      expect((await read(memberKey)).status).toBe(404);
      expect((await read(await keyFor(['growth']))).status).toBe(200);
      await page.goto(`/app/requests/${ticket.request_id}`);
      await page.getByRole('button', { name: 'Reassign' }).click();
      await dialog.getByLabel('Team').fill('data');
      await dialog.getByLabel('Reason').fill('They had them after all');
      await dialog.getByRole('button', { name: 'Reassign' }).click();
      await expect.poll(() => dialog.count()).toBe(0);
      expect((await read(memberKey)).status).toBe(200);
      await page.goto(`/app/requests/${ticket.request_id}?tab=timeline`);
      await page.getByText('ticket.reassigned').first().waitFor();
      expect(problems).toEqual([]);
    });
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, memberKey, `/app/tickets/${ticket.id}`);
      await page.getByRole('heading', { name: 'Done?' }).waitFor();
      expect(await page.getByRole('button', { name: 'Reassign' }).count()).toBe(0);
    });
  });

  it('lets a team close its ticket with a file, by keyboard', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, memberKey, `/app/tickets/${ticket.id}`);
      await page.getByText(house.acme.subject(5).email).waitFor();
      await page.setInputFiles('input[type=file]', {
        name: 'visits.jsonl',
        mimeType: 'application/json',
        buffer: Buffer.from('name,city\n'),
      });
      await page.getByLabel('Note').focus();
      await page.keyboard.type('Two visits.');
      await page.getByRole('button', { name: 'Close the ticket' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('alert').getByText('Line 1 is not JSON').waitFor();
      expect(await page.getByLabel('Note').inputValue()).toBe('Two visits.');
      await page.setInputFiles('input[type=file]', {
        name: 'visits.jsonl',
        mimeType: 'application/json',
        buffer: Buffer.from('{"page":"/a"}\n{"page":"/b"}\n'),
      });
      await page.getByRole('button', { name: 'Close the ticket' }).focus();
      await page.keyboard.press('Enter');
      await page.getByText('Whom it is about is not shown any more.').waitFor();
      await served.api.until(ticket.request_id, 'completed');
      const tasks = await served.api.tasks(ticket.request_id);
      expect(tasks.find(({ id }) => id === ticket.id)?.evidence?.counts).toEqual({ analytics: 2 });
      expect(problems).toEqual([]);
    });
  });

  it('stops everything and lets it go on', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/connections');
      await page.getByRole('button', { name: 'Pause everything…' }).click();
      await page.getByLabel('Reason').fill('An incident');
      await page.getByRole('dialog').getByRole('button', { name: 'Pause everything' }).click();
      await page.getByText('An incident').waitFor();
      await page.getByRole('button', { name: 'Let it go on' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Let it go on' }).click();
      await page.getByText('Work goes on everywhere.').waitFor();
      await page.getByRole('button', { name: 'Check', exact: true }).first().click();
      await page.getByText('good', { exact: true }).first().waitFor();
    });
  });
});
