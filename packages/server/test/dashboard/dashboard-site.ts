import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Where pictures are put for people to look at; nowhere without it. */
const pictures = process.env.HABEAS_TEST_PICTURES;

/** Nothing is wider than the window. */
export const FITS = 'document.documentElement.scrollWidth <= window.innerWidth';

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });

export interface Visit {
  readonly page: Page;
  /** Errors of the page, refusals of its policy and calls to other hosts, as they come. */
  readonly problems: readonly string[];
}

/** One reader with a browser of their own on the dashboard at `url`. */
export async function visit(
  browser: Browser,
  url: string,
  work: (visit: Visit) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: 1280, height: 800 },
    // What is still fading in has too little contrast for a moment.
    reducedMotion: 'reduce',
    ...options,
  });
  const problems: string[] = [];
  const own = new URL(url).host;
  try {
    context.on('request', (request) => {
      const { host, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && host !== own) problems.push(`called ${host}`);
    });
    context.on('console', (message) => {
      // An answer that is an error is shown to the reader, and logged by the browser.
      if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
        problems.push(message.text());
    });
    context.on('weberror', (error) => problems.push(error.error().message));
    const page = await context.newPage();
    await page.addInitScript(
      `document.addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample))`,
    );
    await work({ page, problems });
  } finally {
    await context.close();
  }
}

export async function signIn(page: Page, key: string, path = '/app'): Promise<void> {
  await page.goto(path);
  await page.fill('input[name=key]', key);
  await page.click('button[type=submit]');
  await page.waitForSelector('nav[aria-label=Pages]');
}

/** What keeps people out, by axe: WCAG 2.2 AA and its best practices. Empty is right. */
export async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  )) as { violations: readonly { id: string; nodes: readonly { html: string; failureSummary: string }[] }[] };
  return violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ html, failureSummary }) => `${html} (${failureSummary})`).join('\n')}`,
  );
}

export async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}
