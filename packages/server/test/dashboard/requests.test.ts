import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { answerTicketOf } from '../e2e/team.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');
const SCHEMES = ['light', 'dark'] as const;

describe.skipIf(program === undefined)('requests in the dashboard', () => {
  let house: House;
  let served: Served;
  let browser: Browser;
  let done: api.RequestView;
  let open: api.RequestView;

  const ask = (right: api.Right, person: number) =>
    served.api.ask({ right, identities: [{ type: 'email', value: house.acme.subject(person).email }] });

  beforeAll(async () => {
    [house, browser] = await Promise.all([openHouse(), openBrowser(), builtDashboard()]);
    served = await house.serve();
    done = await ask('erasure', 3);
    await answerTicketOf(house, served.api, done.id);
    await served.api.until(done.id, 'completed');
    open = await ask('access', 4);
    await served.api.until(open.id, 'running');
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  /** A page that is loaded anew takes more than a second on a busy machine. */
  const WITHIN = { timeout: 15_000 };
  const rows = (page: Page) => page.locator('tbody tr');

  it('are listed, filtered by the address and by hand, saved as a view and as CSV', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, '/app/requests');
      await rows(page).nth(1).waitFor();
      expect(await rows(page).count()).toBe(2);
      await page.getByLabel('Right').selectOption('erasure');
      await page.waitForURL('**/requests?right=erasure');
      await expect.poll(() => rows(page).count(), WITHIN).toBe(1);
      expect(await rows(page).textContent()).toContain(done.id);
      await page.goBack();
      await expect.poll(() => rows(page).count(), WITHIN).toBe(2);
      await page.goto('/app/requests?state=completed&order=due');
      await expect.poll(() => rows(page).count(), WITHIN).toBe(1);
      expect(await page.getByLabel('State').inputValue()).toBe('completed');
      await page.getByRole('button', { name: 'Views' }).click();
      await page.getByRole('menuitem', { name: 'Save this filter…' }).click();
      await page.getByLabel('Name').fill('Done');
      await page.getByRole('button', { name: 'Save' }).click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Export CSV' }).click(),
      ]);
      const text = (await Array.fromAsync(await download.createReadStream())).join('');
      expect(text.split('\r\n')).toHaveLength(3);
      expect(text).toContain(`${done.id},erasure,completed,false,gdpr`);
      await page.goto('/app/requests?state=nonsense');
      await page.waitForSelector('text=a filter that does not exist');
      await page.getByRole('link', { name: 'Show everything' }).click();
      await expect.poll(() => rows(page).count(), WITHIN).toBe(2);
      await page.getByRole('button', { name: 'Views' }).click();
      await page.getByRole('menuitem', { name: 'Done', exact: true }).click();
      await page.waitForURL('**/requests?state=completed&order=due');
      // The browser's console has what the page showed.
      expect(problems.filter((problem) => !problem.includes('invalid_value'))).toEqual([]);
    });
  });

  it.each(SCHEMES)('have no barrier on any of their pages, %s', async (colorScheme) => {
    await visit(
      browser,
      served.url,
      async ({ page, problems }) => {
        await signIn(page, house.key, '/app/requests');
        await rows(page).first().waitFor();
        expect(await barriers(page)).toEqual([]);
        await picture(page, `requests-${colorScheme}`);
        await page.goto('/app/requests?id=nothing');
        await page.waitForSelector('text=No request fits');
        expect(await barriers(page)).toEqual([]);
        for (const tab of ['', '?tab=deadline', '?tab=kept', '?tab=timeline', '?tab=receipt']) {
          await page.goto(`/app/requests/${done.id}${tab}`);
          await page.locator('[role=tabpanel]:not(:empty)').waitFor();
          if (tab === '') await page.waitForSelector('.react-flow__node');
          await vi.waitFor(async () => expect(await page.locator('text=Loading').count()).toBe(0));
          expect([tab, await barriers(page)]).toEqual([tab, []]);
          await picture(page, `request${tab.replace('?tab=', '-')}-${colorScheme}`);
        }
        expect(problems).toEqual([]);
      },
      { colorScheme },
    );
  });

  it('that have ended prove what was done, in the browser', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, `/app/requests/${done.id}?tab=receipt`);
      await page.getByRole('button', { name: 'Verify' }).click();
      await page.waitForSelector('text=Verified in this browser');
      expect(await barriers(page)).toEqual([]);
      // Somebody changes an answer on its way: the proof is of something else.
      await page.route('**/receipt', async (route) => {
        const answer = await route.fetch();
        const changed = await answer.json();
        changed.receipt.systems[0].assurance = 'none';
        await route.fulfill({ response: answer, json: changed });
      });
      await page.reload();
      await page.getByRole('button', { name: 'Verify' }).click();
      await page.waitForSelector('text=Not verified');
      expect(problems).toEqual([]);
    });
  });

  it('live: what happens on the server shows without a reload, also after the server was away', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, `/app/requests/${open.id}`);
      await page.getByRole('heading', { name: /Access running/ }).waitFor();
      await served.api.post(`/api/v1/requests/${open.id}:hold`, { reason: 'A question' });
      await page.getByRole('heading', { name: /Access held/ }).waitFor();
      await page.context().setOffline(true);
      await page.getByRole('tab', { name: 'Timeline' }).click();
      await page.waitForSelector('text=The server does not answer');
      await served.api.post(`/api/v1/requests/${open.id}:release`);
      await page.context().setOffline(false);
      await page.getByRole('heading', { name: /Access running/ }).waitFor();
      await page.waitForSelector('text=request.released');
    });
  });

  it('are held with a reason that survives the end of the session', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, `/app/requests/${open.id}`);
      await page.getByRole('button', { name: 'More' }).click();
      await page.getByRole('menuitem', { name: 'Hold…' }).click();
      await page.getByLabel('Reason').fill('Waits for the court');
      await sql`delete from sessions`.execute(house.database.db);
      await page.getByRole('button', { name: 'Hold', exact: true }).click();
      await page.waitForSelector('text=Your session has ended');
      expect(await barriers(page)).toEqual([]);
      await page.getByLabel('API key').fill(house.key);
      await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: /Access held/ }).waitFor();
      expect((await served.api.request(open.id)).reason).toBe('Waits for the court');
      await page.getByRole('button', { name: 'Release' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
      await page.getByRole('heading', { name: /Access running/ }).waitFor();
      expect(problems).toEqual([]);
    });
  });

  it('in bulk: those that refuse are named, the others are done', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/requests');
      await page.getByLabel('Choose all that are shown').check();
      await page.getByRole('button', { name: 'Hold 2 requests' }).click();
      await page.getByLabel('Reason').fill('All of them');
      await page.getByRole('dialog').getByRole('button', { name: 'Hold 2 requests' }).click();
      await page.waitForSelector('text=1 done, 1 refused');
      expect(await page.getByRole('status', { name: '1 done, 1 refused' }).textContent()).toContain(done.id);
      await served.api.post(`/api/v1/requests/${open.id}:release`);
    });
  });
});
