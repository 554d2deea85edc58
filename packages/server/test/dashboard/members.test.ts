import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEMBER_SIGN_IN_PATH } from '../../src/access/index.ts';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { freePort } from '../free-port.ts';
import { type Login, startLogin } from '../login.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, openBrowser, picture, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

describe.skipIf(program === undefined)('a member of the organization', () => {
  let house: House;
  let served: Served;
  let browser: Browser;
  let login: Login;
  let provider: string;

  beforeAll(async () => {
    const port = await freePort();
    provider = `127.0.0.1:${port}`;
    [house, browser] = await Promise.all([
      openHouse({
        config: {
          sign_in: {
            name: 'Acme ID',
            issuer: `http://${provider}`,
            client_id: 'habeas',
            client_secret: 'client-secret-of-the-test',
          },
        },
      }),
      openBrowser(),
      builtDashboard(),
    ]);
    const config = house.configure('approving.yaml', { policy: 'approving-policy.yaml' });
    writeFileSync(join(house.folder, 'approving-policy.yaml'), 'erasure: { approval: required }\n');
    served = await house.serve(config);
    login = await startLogin({ callback: `${served.url}${MEMBER_SIGN_IN_PATH}`, port });
    await house.run(['members', 'invite', 'ada@example.org', '--role', 'officer'], { server: served });
  });

  afterAll(async () => {
    await browser?.close();
    await login?.[Symbol.asyncDispose]();
    await house?.[Symbol.asyncDispose]();
  });

  /** On the pages of the provider. */
  async function signInThere(page: Page, account: string, agrees = true): Promise<void> {
    await page.fill('input[name=login]', account);
    await page.fill('input[name=password]', 'x');
    await page.click('button[type=submit]');
    // The first time they also agree to tell Habeas who they are.
    if (agrees) await page.click('button:has-text("Continue")');
  }

  /** The provider's own pages want a font from elsewhere, which they do not get. */
  const FONTS = 'fonts.googleapis.com';
  const ours = (problems: readonly string[]) =>
    problems.filter((problem) => ![`called ${provider}`, `called ${FONTS}`].includes(problem));

  const visitor = (work: Parameters<typeof visit>[2]) =>
    visit(browser, served.url, async (one) => {
      await one.page.context().route(`https://${FONTS}/**`, (route) => route.abort());
      await work(one);
    });

  it('signs in with their account, comes back to the page that they wanted, and is told by name', async () => {
    await visitor(async ({ page, problems }) => {
      await page.goto('/app/requests?state=running');
      await page.waitForSelector('text=Sign in with Acme ID');
      expect(await barriers(page)).toEqual([]);
      await picture(page, 'sign-in-provider');
      await page.click('text=Sign in with Acme ID');
      await signInThere(page, 'ada');
      await page.waitForSelector('nav[aria-label=Pages]');
      expect(page.url()).toBe(`${served.url}/app/requests?state=running`);
      await page.waitForSelector('text=Ada Example');
      expect(ours(problems)).toEqual([]);
    });
  });

  it('shows again that it is them before they approve, and the page that waits goes on', async () => {
    const email = house.acme.subject(5).email;
    const { id } = await served.api.ask({ right: 'erasure', identities: [{ type: 'email', value: email }] });
    await served.api.until(id, 'approving');
    await visitor(async ({ page, problems }) => {
      await page.goto(`/app/requests/${id}`);
      await page.click('text=Sign in with Acme ID');
      await signInThere(page, 'ada');
      await page.waitForSelector('nav[aria-label=Pages]');
      await sql`update habeas.sessions set confirmed_at = now() - interval '1 hour'`.execute(
        house.database.db,
      );
      await page.getByRole('button', { name: 'Approve' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
      await page.getByRole('heading', { name: 'Show that it is you' }).waitFor();
      expect(await barriers(page)).toEqual([]);
      const [there] = await Promise.all([
        page.waitForEvent('popup'),
        page.getByRole('button', { name: 'Sign in with Acme ID' }).click(),
      ]);
      await signInThere(there, 'ada', false);
      await served.api.until(id, 'running');
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
      expect(ours(problems)).toEqual([]);
    });
  });

  it('is told why they do not get in', async () => {
    await visitor(async ({ page }) => {
      await page.goto('/app');
      await page.click('text=Sign in with Acme ID');
      await signInThere(page, 'eve');
      await page.waitForSelector('text=You are not a member here yet');
      expect(await barriers(page)).toEqual([]);
    });
  });
});
