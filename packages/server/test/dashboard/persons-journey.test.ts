import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { api } from '@habeas/contract';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { answerTicketOf } from '../e2e/team.ts';
import { readZip } from '../read-zip.ts';
import { requireProgram } from '../requirements.ts';
import { byKeyboard } from './by-keyboard.ts';
import { barriers, openBrowser, picture, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

/** Nobody helps them: what they know comes from the pages and from their mail. */
describe.skipIf(program === undefined)('a customer of the example company', () => {
  let house: House;
  let served: Served;
  let browser: Browser;

  beforeAll(async () => {
    [house, browser] = await Promise.all([openHouse({ config: { policy: 'policy.yaml' } }), openBrowser()]);
    writeFileSync(join(house.folder, 'policy.yaml'), 'erasure: { wait: 7d }\n');
    served = await house.serve();
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  const mails = async () => (await fetch(house.acme.mailsUrl)).text();
  /** The code of the next mail that was not there before `act`. */
  const codeAfter = async (act: () => Promise<void>): Promise<string> => {
    const codes = async () => [...(await mails()).matchAll(/\b(\d{8})\b/g)].map(([, code]) => code ?? '');
    const before = new Set(await codes());
    await act();
    let code: string | undefined;
    await vi.waitFor(
      async () => {
        code = (await codes()).find((one) => !before.has(one));
        expect(code).toBeDefined();
      },
      { timeout: 30_000, interval: 200 },
    );
    return code ?? '';
  };
  const clear = async (page: Page, name: string) => {
    expect([name, await barriers(page)]).toEqual([name, []]);
    await picture(page, `person-${name}`);
  };
  const isCompleted = (page: Page) =>
    vi.waitFor(
      async () => {
        await page.reload();
        expect(await page.getByRole('button', { name: 'Get your data' }).count()).toBe(1);
      },
      { timeout: 60_000, interval: 500 },
    );

  it('asks for a copy, proves who they are by a mail, follows, and downloads it, by keyboard', async () => {
    const { email } = house.acme.subject(4);
    await visit(browser, served.url, async ({ page, problems }) => {
      const keyboard = byKeyboard(page);
      await page.goto('/privacy');
      await clear(page, 'asks');
      await keyboard.to(page.locator('input[name=right]').first());
      await keyboard.press('Space');
      await keyboard.fill(page.locator('input[name=email]'), email);
      const code = await codeAfter(async () => {
        await keyboard.press('Enter');
        await page.waitForURL('**/privacy/request');
      });
      await clear(page, 'proves');
      await keyboard.fill(page.locator('input[name=code]'), code);
      await keyboard.press('Enter');
      await page.getByRole('status').first().waitFor();
      const { items } = await served.api.get<{ items: api.RequestView[] }>('/api/v1/requests');
      const id = items[0]?.id ?? '';
      await clear(page, 'follows');
      await answerTicketOf(house, served.api, id);
      await served.api.until(id, 'completed');
      await isCompleted(page);
      const second = await codeAfter(() =>
        keyboard.enter(page.getByRole('button', { name: 'Get your data' })),
      );
      await page.waitForURL('**/privacy/download?sent');
      await keyboard.fill(page.locator('input[name=code]'), second);
      await keyboard.press('Enter');
      const link = page.locator('a[download]');
      await link.waitFor();
      await clear(page, 'downloads');
      await keyboard.to(link);
      const [download] = await Promise.all([page.waitForEvent('download'), keyboard.press('Enter')]);
      const file = join(house.folder, 'mine.zip');
      const zip = await buffer(await download.createReadStream());
      writeFileSync(file, zip);
      const files = readZip(zip);
      expect([...files.keys()]).toEqual(expect.arrayContaining(['index.html', 'manifest.json']));
      expect([...files.values()].some((content) => content.includes(email))).toBe(true);
      expect(problems).toEqual([]);
    });
  });

  it('changes what they agree to, and it counts at once', async () => {
    const { email } = house.acme.subject(6);
    const allowed = async () => {
      const identity = { type: 'email', value: email };
      const { purposes } = await served.api.post<api.ConsentView>('/api/v1/consent:read', { identity });
      return Object.fromEntries(purposes.map(({ code, allowed: isAllowed }) => [code, isAllowed]));
    };
    expect(await allowed()).toEqual({ shop_statistics: false, newsletter: false, advertising: true });
    await visit(browser, served.url, async ({ page, problems }) => {
      const keyboard = byKeyboard(page);
      await page.goto('/privacy');
      await keyboard.enter(page.locator('a[href$="/privacy/choices"]').first());
      await page.waitForURL('**/privacy/choices');
      await keyboard.fill(page.locator('input[name=email]'), email);
      const code = await codeAfter(() => keyboard.press('Enter'));
      await keyboard.fill(page.locator('input[name=code]'), code);
      await keyboard.press('Enter');
      const newsletter = page.getByRole('group', { name: 'Letters about new lamps' });
      await newsletter.waitFor();
      expect(await page.locator('input[type=radio]:checked').count()).toBe(0);
      await clear(page, 'chooses');
      await keyboard.to(newsletter.getByRole('radio').first());
      await keyboard.press('Space');
      await keyboard.to(
        page.getByRole('group', { name: 'Advertisements elsewhere' }).getByRole('radio').first(),
      );
      await keyboard.press('Space', 'ArrowRight', 'Enter');
      await page.getByRole('status').first().waitFor();
      await clear(page, 'chose');
      expect(problems).toEqual([]);
    });
    expect(await allowed()).toEqual({ shop_statistics: false, newsletter: true, advertising: false });
  });

  it('asks to be erased, thinks better of it, and withdraws', async () => {
    const { email } = house.acme.subject(8);
    await visit(browser, served.url, async ({ page, problems }) => {
      const keyboard = byKeyboard(page);
      await page.goto('/privacy');
      await keyboard.to(page.locator('input[name=right]').first());
      await keyboard.press('Space');
      const erase = page.locator('input[name=right][value=erasure]');
      while (!(await erase.isChecked())) await keyboard.press('ArrowDown');
      await keyboard.fill(page.locator('input[name=email]'), email);
      const code = await codeAfter(() => keyboard.press('Enter'));
      await keyboard.fill(page.locator('input[name=code]'), code);
      await keyboard.press('Enter');
      await keyboard.enter(page.getByRole('link', { name: 'Withdraw the request' }));
      await page.getByText('We stop at once').waitFor();
      await clear(page, 'thinks-again');
      await keyboard.enter(page.getByRole('button', { name: 'Withdraw the request' }));
      await page.getByText('You withdrew this request').waitFor();
      const { items } = await served.api.get<{ items: api.RequestView[] }>('/api/v1/requests?right=erasure');
      expect(items.map(({ state }) => state)).toEqual(['cancelled']);
      expect(problems).toEqual([]);
    });
  });
});
