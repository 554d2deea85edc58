/*
 * Takes the pictures of the README anew: starts the demonstration, signs in to its dashboard in a real browser, and looks.
 *
 *     npm run screenshots [-- --browser /usr/bin/chromium]
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDER = join(ROOT, 'docs', 'pictures');
/** As wide as the README is on most screens, at twice its dots. */
const VIEWPORT = { width: 1_200, height: 860 };

const { values } = parseArgs({ options: { browser: { type: 'string', default: '/usr/bin/chromium' } } });

/** The demonstration while it stays up, with what it printed of how to reach it. */
async function startDemonstration() {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/start.mjs'), '--people', '200', '--port', '0'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = new Map<string, string>();
  for await (const line of createInterface(child.stdout)) {
    const found = /\b(HABEAS_URL|HABEAS_API_KEY)=(\S+)/.exec(line) ?? /(--email) '?([^\s']+)/.exec(line);
    if (found?.[1] !== undefined && found[2] !== undefined) said.set(found[1], found[2]);
    const [url, key, email] = ['HABEAS_URL', 'HABEAS_API_KEY', '--email'].map((name) => said.get(name));
    if (url !== undefined && key !== undefined && email !== undefined)
      return { url, key, email, end: () => child.kill('SIGTERM') };
  }
  throw new Error('The demonstration ended before it said how to reach it.');
}

async function picture(page: Page, name: string): Promise<void> {
  // What fades in is there, and nothing blinks.
  await page.waitForTimeout(700);
  await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: 'disabled', caret: 'hide' });
  console.log(`docs/pictures/${name}.png`);
}

mkdirSync(FOLDER, { recursive: true });
const demonstration = await startDemonstration();
const browser = await chromium.launch({ executablePath: values.browser, args: ['--no-sandbox'] });
try {
  const context = await browser.newContext({
    baseURL: demonstration.url,
    viewport: VIEWPORT,
    deviceScaleFactor: 1.5,
    colorScheme: 'light',
    locale: 'en-GB',
  });
  // So that somebody has something to do: a ticket, for the one team without a client.
  for (const right of ['access', 'erasure'])
    await context.request.post('/api/v1/requests', {
      headers: { authorization: `Bearer ${demonstration.key}`, 'idempotency-key': right },
      data: { right, identities: [{ type: 'email', value: demonstration.email }] },
    });
  const page = await context.newPage();
  await page.goto('/app');
  await page.fill('input[name=key]', demonstration.key);
  await page.click('button[type=submit]');
  await page.waitForSelector('nav[aria-label=Pages]');
  await page.getByRole('heading', { name: /tickets/i }).waitFor();
  // There is less on it than on the others.
  await page.setViewportSize({ ...VIEWPORT, height: 560 });
  await picture(page, 'home');
  await page.setViewportSize(VIEWPORT);
  await page.goto('/app/map');
  await page.locator('.react-flow__node').first().waitFor();
  await page.locator('.react-flow__node', { hasText: 'shop' }).click();
  await picture(page, 'map');
  await page.goto('/app/requests?right=erasure&state=completed');
  await page.locator('tbody tr a').first().click();
  await page.locator('.react-flow__node').first().waitFor();
  await picture(page, 'request');
} finally {
  await browser.close();
  demonstration.end();
}
