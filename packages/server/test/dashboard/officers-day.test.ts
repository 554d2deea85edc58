import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { api } from '@habeas/contract';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { answerTicketOf } from '../e2e/team.ts';
import { eventually } from '../eventually.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { byKeyboard, isFocused, type Keyboard } from './by-keyboard.ts';
import { openBrowser, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');
const POLICY = `rules:
  - { name: many, when: { right: erasure }, four_eyes_above: 1 }
`;

/** One day, without a pointer: each test goes on where the one before ended. */
describe.skipIf(program === undefined)('the day of an officer who has no pointer', () => {
  let house: House;
  let served: Served;
  let browser: Browser;
  let erasure: api.RequestView;
  let access: api.RequestView;
  let doubtful: api.RequestView;
  const keys: Record<string, string> = {};

  const ask = (right: api.Right, person: number) =>
    served.api.ask({ right, identities: [{ type: 'email', value: house.acme.subject(person).email }] });

  beforeAll(async () => {
    [house, browser] = await Promise.all([
      openHouse({ config: { policy: 'policy.yaml' } }),
      openBrowser(),
      builtDashboard(),
    ]);
    writeFileSync(join(house.folder, 'policy.yaml'), POLICY);
    served = await house.serve();
    for (const name of ['ada', 'ben']) {
      const made = await served.api.post<api.NewApiKeyView>('/api/v1/api-keys', {
        name,
        scopes: api.ROLES.officer,
      });
      keys[name] = made.key;
    }
    erasure = await ask('erasure', 3);
    access = await ask('access', 4);
    doubtful = await ask('erasure', 5);
    for (const { id } of [erasure, doubtful]) await served.api.until(id, 'approving', 60);
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  const day = (name: string, path: string, work: (page: Page, keyboard: Keyboard) => Promise<void>) =>
    visit(browser, served.url, async ({ page, problems }) => {
      const keyboard = byKeyboard(page);
      await page.goto(path);
      await keyboard.fill(page.getByLabel('API key'), keys[name] ?? '');
      await keyboard.press('Enter');
      await page.getByRole('navigation', { name: 'Pages' }).waitFor();
      await work(page, keyboard);
      await keyboard.enter(page.getByRole('button', { name: 'Sign out' }));
      await page.getByLabel('API key').waitFor();
      expect(problems).toEqual([]);
    });
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
  const inDialog = (page: Page, name: string) =>
    page.getByRole('dialog').getByRole('button', { name, exact: true });
  /** Of the menu *More*: Mantine moves the focus into it, and arrows go through it. */
  const more = async (page: Page, keyboard: Keyboard, act: string) => {
    await keyboard.enter(button(page, 'More'));
    const item = page.getByRole('menuitem', { name: act });
    await item.waitFor();
    for (let moves = 0; moves < 15; moves += 1) {
      if (await isFocused(page, item)) break;
      await keyboard.press('ArrowDown');
    }
    await keyboard.press('Enter');
  };

  it('goes from home to the erasure that waits, and gives the first of two approvals', async () => {
    await day('ada', '/app', async (page, keyboard) => {
      const waiting = page.getByRole('region', { name: 'To be approved' });
      await keyboard.enter(waiting.getByRole('link', { name: new RegExp(erasure.id) }));
      await page.getByRole('heading', { name: /Erasure approving/ }).waitFor();
      await keyboard.enter(button(page, 'Approve'));
      await page.getByText('2 different people have to approve; 0 did so far').waitFor();
      await keyboard.enter(inDialog(page, 'Approve'));
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
      expect((await served.api.request(erasure.id)).approval?.given).toHaveLength(1);
      // Nobody is two people.
      await keyboard.enter(button(page, 'Approve'));
      await page.getByText('1 did so far').waitFor();
      await keyboard.enter(inDialog(page, 'Approve'));
      await page.getByRole('alert').waitFor();
      await keyboard.press('Escape');
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
      await expect.poll(() => isFocused(page, button(page, 'Approve'))).toBe(true);
      expect((await served.api.request(erasure.id)).state).toBe('approving');
    });
  });

  it('a second officer approves too, and it goes on', async () => {
    await day('ben', `/app/requests/${erasure.id}`, async (page, keyboard) => {
      await keyboard.enter(button(page, 'Approve'));
      await page.getByText('1 did so far').waitFor();
      await keyboard.enter(inDialog(page, 'Approve'));
      await page.getByRole('heading', { name: /Erasure running/ }).waitFor();
    });
  });

  it('filters the requests, holds one, lets it go on, and gives it more time', async () => {
    await day('ada', '/app/requests', async (page, keyboard) => {
      await keyboard.choose(page.getByLabel('Right'), 'Access');
      await page.waitForURL('**/requests?right=access');
      await keyboard.enter(page.getByRole('link', { name: access.id }));
      await page.getByRole('heading', { name: /Access running/ }).waitFor();
      await more(page, keyboard, 'Hold…');
      await page.getByRole('dialog').waitFor();
      await keyboard.press('Escape');
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
      await expect.poll(() => isFocused(page, button(page, 'More'))).toBe(true);
      await more(page, keyboard, 'Hold…');
      await keyboard.fill(page.getByLabel('Reason'), 'A question to the team');
      await keyboard.enter(inDialog(page, 'Hold'));
      await page.getByRole('heading', { name: /Access held/ }).waitFor();
      await keyboard.enter(button(page, 'Release'));
      await keyboard.enter(inDialog(page, 'Release'));
      await page.getByRole('heading', { name: /Access running/ }).waitFor();
      const before = (await served.api.request(access.id)).due_at;
      await more(page, keyboard, 'Extend the deadline…');
      await keyboard.choose(page.getByLabel('Reason'), 'There');
      await keyboard.enter(inDialog(page, 'Extend the deadline'));
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
      expect(Date.parse((await served.api.request(access.id)).due_at)).toBeGreaterThan(Date.parse(before));
      await keyboard.to(page.getByRole('tab', { name: 'Plan' }));
      await keyboard.press('ArrowRight');
      await page.getByRole('tabpanel').getByText('How that is counted').waitFor();
    });
  });

  it('rejects one with a reason', async () => {
    await day('ada', `/app/requests/${doubtful.id}`, async (page, keyboard) => {
      await keyboard.enter(button(page, 'Reject'));
      await keyboard.fill(page.getByLabel('Reason'), 'Nobody could tell who asks');
      await keyboard.enter(inDialog(page, 'Reject'));
      await page.getByRole('heading', { name: /Erasure rejected/ }).waitFor();
      expect((await served.api.request(doubtful.id)).reason).toBe('Nobody could tell who asks');
    });
  });

  it('closes a ticket of a team that is away', async () => {
    const { items } = await served.api.get<{ items: api.TicketView[] }>('/api/v1/tickets?state=open');
    const ticket = items.find((one) => one.request_id === access.id);
    await day('ada', '/app/tickets', async (page, keyboard) => {
      await keyboard.enter(page.locator(`a[href$="/tickets/${ticket?.id}"]`).first());
      await keyboard.fill(page.getByLabel('Note'), 'They have nothing.');
      await keyboard.enter(button(page, 'Close the ticket'));
      await page.getByText('Whom it is about is not shown any more.').waitFor();
    });
    await served.api.until(access.id, 'completed');
  });

  it('sees on the map where ip flows, as a picture and as a table', async () => {
    await day('ada', '/app/map', async (page, keyboard) => {
      await keyboard.choose(page.getByLabel('Data type'), 'ip');
      await page.waitForURL('**/map?data_type=ip');
      await keyboard.enter(page.locator('.react-flow__node', { hasText: 'shop' }).first());
      await page.getByRole('region', { name: 'Selection' }).getByText('Team shop').waitFor();
      await keyboard.to(page.getByRole('radio', { name: 'Picture' }), 'attached');
      await keyboard.press('ArrowRight');
      const flows = page.getByRole('region', { name: /Flows/ });
      await flows.getByText('analytics').first().waitFor();
    });
  });

  it('verifies the proof of what was erased', async () => {
    await answerTicketOf(house, served.api, erasure.id);
    await served.api.until(erasure.id, 'completed');
    await eventually('the receipt is there', async () => {
      const { status } = await served.api.call('GET', `/api/v1/requests/${erasure.id}/receipt`);
      return status === 200;
    });
    await day('ada', `/app/requests/${erasure.id}`, async (page, keyboard) => {
      await keyboard.to(page.getByRole('tab', { name: 'Plan' }));
      await keyboard.press('ArrowLeft');
      await keyboard.enter(button(page, 'Verify'));
      await page.getByText('Verified in this browser').waitFor();
    });
  });
});
