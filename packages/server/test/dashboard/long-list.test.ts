import { sql } from 'kysely';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, FITS, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');
const ROWS = 1_500;
/** Two windows of rows and what is drawn beyond them. */
const MOST_DRAWN = 70;
const idOf = (n: number) => `req_${String(n).padStart(26, '0')}`;

describe.skipIf(program === undefined)('a list of many requests', () => {
  let house: House;
  let served: Served;
  let browser: Browser;

  beforeAll(async () => {
    [house, browser] = await Promise.all([openHouse(), openBrowser(), builtDashboard()]);
    served = await house.serve();
    await sql`
      insert into habeas.requests (organization_id, id, right_kind, state, dry_run, identity_types, received_at, due_at,
        completed_at, regime, subject_kind, received_by)
      select 'acme', 'req_' || lpad(n::text, 26, '0'), 'access', 'completed', false, '{email}',
        now() - interval '1 year' + n * interval '1 minute', now() - interval '1 month', now() - interval '2 months',
        'gdpr', 'customer', 'key:tests'
      from generate_series(1, ${ROWS}) n`.execute(house.database.db);
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  const rows = (page: Page) => page.locator('tbody tr[aria-rowindex]');
  const toTheEnd = (page: Page) => page.evaluate('window.scrollTo(0, document.body.scrollHeight)');
  const readWhole = async (page: Page) => {
    await rows(page).first().waitFor();
    await vi.waitFor(
      async () => {
        await toTheEnd(page);
        expect(await rows(page).count()).toBeLessThanOrEqual(MOST_DRAWN);
        expect(await page.getByText(`${ROWS} shown, which is all`).count()).toBe(1);
        expect(await rows(page).getByText(idOf(1), { exact: true }).count()).toBe(1);
      },
      { timeout: 60_000, interval: 50 },
    );
  };

  it('is read as far as its reader scrolls, and draws what is in the window', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      let calls = 0;
      page.on('request', (request) => {
        if (request.url().includes('/api/v1/requests?')) calls += 1;
      });
      await signIn(page, house.key, '/app/requests');
      await rows(page).first().waitFor();
      expect(await rows(page).first().textContent()).toContain(idOf(ROWS));
      expect(await page.locator('table').getAttribute('aria-rowcount')).toBe('-1');
      await page.waitForTimeout(500);
      expect(calls).toBe(1);
      await readWhole(page);
      expect(await rows(page).last().getAttribute('aria-rowindex')).toBe(String(ROWS + 1));
      expect(await page.locator('table').getAttribute('aria-rowcount')).toBe(String(ROWS + 1));
      expect(await page.evaluate(FITS)).toBe(true);
      expect(await barriers(page)).toEqual([]);
      await picture(page, 'requests-long');
      expect(problems).toEqual([]);
    });
  });

  it('is where it was when its reader comes back, and tells of changes instead of moving', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, '/app/requests');
      await readWhole(page);
      const link = page.getByRole('link', { name: idOf(20), exact: true });
      await link.scrollIntoViewIfNeeded();
      const before = await page.evaluate('window.scrollY');
      await link.click();
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.goBack();
      await link.waitFor();
      await page.waitForFunction(`Math.abs(window.scrollY - ${Number(before)}) < 100`);
      const identities = [{ type: 'email', value: house.acme.subject(7).email }];
      const { id } = await served.api.ask({ right: 'access', identities });
      await page.getByText('Some requests have changed').waitFor();
      expect(await page.getByText(`${ROWS} shown, which is all`).count()).toBe(1);
      await page.getByRole('button', { name: 'Read it again' }).click();
      await rows(page).getByText(id).waitFor();
      expect(await page.getByText('Some requests have changed').count()).toBe(0);
      expect(problems).toEqual([]);
    });
  });

  it('is gone through by keyboard, row after row, past what was drawn and read at first', async () => {
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, house.key, '/app/requests?state=completed');
      await rows(page).first().waitFor();
      await page.getByRole('checkbox', { name: `Choose ${idOf(ROWS)}` }).focus();
      for (let row = 1; row <= 130; row += 1) {
        await page.keyboard.press('Tab');
        await page.keyboard.press('Tab');
        const focused = () => page.evaluate('document.activeElement.getAttribute("aria-label")');
        await expect.poll(focused, { interval: 5 }).toBe(`Choose ${idOf(ROWS - row)}`);
      }
    });
  });
});
