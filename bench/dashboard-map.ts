import { type Browser, chromium, type Page } from 'playwright-core';
import { builtDashboard } from '../packages/server/test/dashboard/built-dashboard.ts';
import type { Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { prepareState } from './habeas-state.ts';
import { LARGE_MAP_ORGANIZATION, largeMap } from './large-map.ts';
import { serveMap } from './map-server.ts';
import { createDatabase } from './on-database.ts';
import { seededRandom } from './seeded-random.ts';
import { median } from './statistics.ts';

const ROUNDS = 5;
const DATABASE = 'dashboard_map';
/** From this on a browser calls a task long (W3C Long Tasks). */
const LONG_TASK_MILLISECONDS = 50;

/** How long somebody waits for the picture of a large map, and whether it follows the pointer. */
export const dashboardMap: Benchmark = {
  name: 'dashboard-map',
  about: 'look at a map of 1,000 services and 10,000 flows in a browser',
  async run(bench) {
    await builtDashboard();
    const postgres = await bench.postgres();
    await createDatabase(postgres.superuserUrl(), DATABASE);
    const databaseUrl = postgres.superuserUrl(DATABASE);
    const dataDir = bench.folder('map-answers');
    const { key } = await prepareState({ databaseUrl, organizationId: LARGE_MAP_ORGANIZATION, dataDir });
    const map = largeMap(seededRandom(bench.seed), new Date());
    await using server = await serveMap({ bench, map, databaseUrl, key });
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    try {
      const pictures: number[] = [];
      const answers: number[] = [];
      const tasks: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const looked = await look(browser, server.url, key);
        pictures.push(looked.picture);
        answers.push(looked.answer);
        tasks.push(looked.longestTask);
      }
      return [
        judge({
          name: 'dashboard-map-picture',
          value: median(pictures),
          unit: 'ms',
          baseline: median(answers),
          goal: { value: 2_000 },
          measured: `from the address to the placed boxes and links on the screen, in a browser that has nothing of the page; median of ${ROUNDS}`,
          against: 'the same browser fetches and parses the same answer of the API, and draws nothing',
          notes: [`each: ${pictures.map((one) => one.toFixed(0)).join(', ')} ms`],
        }),
        judge({
          name: 'dashboard-map-panning',
          value: Math.max(...tasks),
          unit: 'ms',
          baseline: LONG_TASK_MILLISECONDS,
          goal: { value: 200 },
          measured: `the longest task of the page while the picture is moved and zoomed; the most of ${ROUNDS}`,
          against: 'from where on a browser calls a task long',
        }),
      ];
    } finally {
      await browser.close();
    }
  },
};

async function look(browser: Browser, url: string, key: string) {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1_280, height: 800 } });
  try {
    await context.request.post('/api/v1/session', { data: { key }, headers: { origin: url } });
    const page = await context.newPage();
    const from = performance.now();
    await page.goto('/app/map');
    await page.locator('.react-flow__edge').first().waitFor({ state: 'attached' });
    await page.locator('.react-flow__node').first().waitFor();
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    const picture = performance.now() - from;
    return { picture, longestTask: await pan(page), answer: await answer(page) };
  } finally {
    await context.close();
  }
}

/** Moves the picture about; the longest task meanwhile, in milliseconds. */
async function pan(page: Page): Promise<number> {
  await page.evaluate(`
    window.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
    }).observe({ type: 'longtask' });`);
  const pane = await page.locator('.react-flow__pane').boundingBox();
  if (pane === null) throw new Error('There is no picture.');
  const [x, y] = [pane.x + pane.width / 2, pane.y + 12];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let step = 1; step <= 40; step += 1) await page.mouse.move(x + step * 6, y + step * 4);
  await page.mouse.up();
  for (let step = 0; step < 6; step += 1) await page.mouse.wheel(0, step % 2 === 0 ? 120 : -120);
  await page.waitForTimeout(300);
  return Number(await page.evaluate('window.longest'));
}

async function answer(page: Page): Promise<number> {
  return Number(
    await page.evaluate(`(async () => {
      const from = performance.now();
      await (await fetch('/api/v1/map', { cache: 'no-store' })).json();
      return performance.now() - from;
    })()`),
  );
}
