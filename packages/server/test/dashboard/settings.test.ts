import { api } from '@habeas/contract';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, FITS, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

/** A name that a page must show as text and nothing else. */
const HOSTILE = '<img src=x onerror="document.title=1">\u202e';

describe.skipIf(program === undefined)('the settings in the dashboard', () => {
  let house: House;
  let served: Served;
  let browser: Browser;

  const keyFor = async (role: api.Role, name: string = role) => {
    const body = { name, scopes: api.ROLES[role] };
    return served.api.post<api.NewApiKeyView>('/api/v1/api-keys', body);
  };
  const keys = async () => (await served.api.get<{ items: api.ApiKeyView[] }>('/api/v1/api-keys')).items;
  const members = async () => (await served.api.get<{ items: api.MemberView[] }>('/api/v1/members')).items;

  beforeAll(async () => {
    [house, browser] = await Promise.all([openHouse(), openBrowser(), builtDashboard()]);
    served = await house.serve();
    await keyFor('auditor', HOSTILE);
    const teams = ['shop', 'data'];
    await served.api.post('/api/v1/members', { email: 'ada@example.org', role: 'member', teams });
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  const dialog = (page: Page) => page.getByRole('dialog');

  it.each(['light', 'dark'] as const)(
    'have no barrier, neither in their lists nor in their dialogs, %s',
    async (colorScheme) => {
      await visit(
        browser,
        served.url,
        async ({ page, problems }) => {
          await signIn(page, house.key, '/app/settings');
          await page.getByText('ada@example.org').waitFor();
          await page.getByText('<img src=x').waitFor();
          expect(await page.locator('img').count()).toBe(0);
          expect(await barriers(page)).toEqual([]);
          expect(await page.evaluate(FITS)).toBe(true);
          await picture(page, `settings-${colorScheme}`);
          await page.getByRole('button', { name: 'Make a key…' }).click();
          await page.getByLabel('May do what').selectOption('what you choose');
          await page.getByText('Make and revoke API keys').waitFor();
          expect(await barriers(page)).toEqual([]);
          await picture(page, `settings-new-key-${colorScheme}`);
          await page.keyboard.press('Escape');
          await page.getByRole('button', { name: 'Invite somebody…' }).click();
          await page.getByLabel('Address').waitFor();
          expect(await barriers(page)).toEqual([]);
          await picture(page, `settings-invite-${colorScheme}`);
          expect(problems).toEqual([]);
        },
        // Axe would look at a dialog while it fades in.
        { colorScheme, reducedMotion: 'reduce' },
      );
    },
  );

  it('make a key that is shown once, works as far as was chosen, and is revoked', async () => {
    await visit(
      browser,
      served.url,
      async ({ page, problems }) => {
        await signIn(page, house.key, '/app/settings');
        await page.getByRole('button', { name: 'Make a key…' }).click();
        await page.getByLabel('Name').fill('The archive');
        await page.getByLabel('May do what').selectOption('what you choose');
        await page.getByRole('button', { name: 'Make the key' }).click();
        await page.getByText('Choose at least one thing').waitFor();
        await page.getByLabel('tickets:read', { exact: true }).check();
        await page.getByLabel('Teams').fill(' shop, shop ,data');
        await page.getByLabel('Expires').fill('2099-05-04');
        await page.getByRole('button', { name: 'Make the key' }).click();
        const key = await page.getByLabel('Key “The archive”').inputValue();
        expect(await page.evaluate('document.activeElement.value')).toBe(key);
        expect(await barriers(page)).toEqual([]);
        await picture(page, 'settings-key');
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Copy' }).click();
        await page.getByText('It is copied.').waitFor();
        expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key);
        await page.getByRole('button', { name: 'I have it' }).click();
        await page.getByRole('row', { name: /The archive.*tickets:read.*shop, data.*by tests/ }).waitFor();
        expect(await page.content()).not.toContain(key);
        const made = (await keys()).find(({ name }) => name === 'The archive');
        expect(made).toMatchObject({ scopes: ['tickets:read'], teams: ['shop', 'data'] });
        expect(Date.parse(made?.expires_at ?? '')).toBe(new Date(2099, 4, 4).getTime());
        const call = async (path: string) => {
          const headers = { authorization: `Bearer ${key}` };
          return (await fetch(`${served.url}${path}`, { headers })).status;
        };
        expect([await call('/api/v1/tickets'), await call('/api/v1/requests')]).toEqual([200, 403]);

        await page.getByRole('button', { name: 'Revoke The archive' }).click();
        await dialog(page).getByRole('button', { name: 'Revoke' }).click();
        await page.getByRole('row', { name: /The archive/ }).waitFor({ state: 'detached' });
        expect(await call('/api/v1/tickets')).toBe(401);
        await page.getByLabel('Also those that have ended').check();
        await page.getByRole('row', { name: /The archive.*revoked/ }).waitFor();
        expect(page.url()).toBe(`${served.url}/app/settings?keys=all`);
        expect(problems).toEqual([]);
      },
      { permissions: ['clipboard-read', 'clipboard-write'] },
    );
  });

  it('invite, change and remove a member by keyboard; what is refused keeps what was typed and the focus', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, '/app/settings');
      await page.getByRole('button', { name: 'Invite somebody…' }).focus();
      await page.keyboard.press('Enter');
      await page.getByLabel('Address').waitFor();
      await page.keyboard.type('ada@example.org');
      await page.getByRole('button', { name: 'Invite', exact: true }).focus();
      await page.keyboard.press('Enter');
      await dialog(page).getByRole('alert').waitFor();
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Invite');
      expect(await page.getByLabel('Address').inputValue()).toBe('ada@example.org');
      await page.getByLabel('Address').fill('grace@example.org');
      await page.getByLabel('Role').selectOption({ value: 'officer' });
      await page.keyboard.press('Enter');
      const row = page.getByRole('row', { name: /grace@example.org.*officer.*all/ });
      await row.waitFor();

      await page.getByRole('button', { name: 'Change grace@example.org' }).click();
      await page.getByLabel('Role').selectOption({ value: 'member' });
      await page.getByLabel('Teams').fill('shop');
      await page.getByRole('button', { name: 'Change', exact: true }).click();
      await page.getByRole('row', { name: /grace@example.org.*member.*shop/ }).waitFor();
      const changed = (await members()).find(({ email }) => email === 'grace@example.org');
      expect(changed).toMatchObject({ role: 'member', teams: ['shop'] });

      await page.getByRole('button', { name: 'Remove grace@example.org' }).click();
      await dialog(page).getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('row', { name: /grace@example.org/ }).waitFor({ state: 'detached' });
      expect((await members()).map(({ email }) => email)).toEqual(['ada@example.org']);
      expect(problems).toEqual([]);
    });
  });

  it('offer nobody what they may not do', async () => {
    const [auditor, member] = await Promise.all([keyFor('auditor'), keyFor('member')]);
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, auditor.key, '/app/settings');
      await page
        .getByRole('row', { name: /auditor/ })
        .first()
        .waitFor();
      expect(await page.getByRole('button', { name: /Make a key|Revoke|Invite/ }).count()).toBe(0);
      expect(await page.content()).not.toContain('ada@example.org');
    });
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, member.key, '/app/settings');
      await page.getByRole('alert').getByText('You may not see this').waitFor();
      expect(await barriers(page)).toEqual([]);
      await picture(page, 'settings-forbidden');
      expect(await page.getByRole('navigation', { name: 'Pages' }).textContent()).not.toContain('Settings');
    });
  });
});
