import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { api } from '@habeas/contract';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { answerTicketOf } from '../e2e/team.ts';
import { eventually } from '../eventually.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, FITS, openBrowser, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

/** What people and services may have put where the API gives a text of theirs. */
const TEXTS = {
  'without a blank': `<img src=x onerror="document.title=1"><script>document.title=1</script>\u202eevil\u2066\u200b\u0000${'x'.repeat(10_000)}`,
  words: '\u202e<img src=x onerror="document.title=1"> &amp; '.repeat(200),
};

/** Pages that show what people wrote in more words than a name. */
const SPOKEN = /^$|^requests\/\w+$|tab=kept|^tickets\/|^holds$|view=gaps|^policy/;

/** One text of somebody's does not push everything else away. */
const MOST_PIXELS = 20_000;

/** Every part of an answer in which the API repeats what somebody else wrote. */
const WRITTEN = new Set([
  'actor',
  'collection',
  'description',
  'detail',
  'instructions',
  'justification',
  'label',
  'message',
  'name',
  'note',
  'owner',
  'reason',
  'revoked_by',
  'created_by',
  'released_by',
  'placed_by',
  'text',
  'title',
  'why',
]);

function rewritten(value: unknown, text: string): unknown {
  if (Array.isArray(value)) return value.map((part) => rewritten(part, text));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      typeof part === 'string' && WRITTEN.has(key) ? text : rewritten(part, text),
    ]),
  );
}

describe.skipIf(program === undefined)('what others wrote', () => {
  let house: House;
  let served: Served;
  let browser: Browser;
  let pages: readonly string[];

  beforeAll(async () => {
    const policy = `rules:
  - { name: invoices, when: { right: erasure, category: user.financial }, keep: { justification: LegalObligationImpaired, reason: Tax law } }
`;
    [house, browser] = await Promise.all([
      openHouse({ config: { policy: 'policy.yaml' } }),
      openBrowser(),
      builtDashboard(),
    ]);
    writeFileSync(join(house.folder, 'policy.yaml'), policy);
    served = await house.serve();
    const identities = [{ type: 'email', value: house.acme.subject(3).email }];
    const { id } = await served.api.ask({ right: 'erasure', identities });
    await answerTicketOf(house, served.api, id);
    await served.api.until(id, 'completed');
    const open = await served.api.ask({
      right: 'access',
      identities: [{ type: 'user_id', value: 'usr_000004' }],
    });
    await served.api.post('/api/v1/legal-holds', {
      scope: { kind: 'system', system: 'crm-vendor' },
      reason: 'A trial',
    });
    await served.api.post('/api/v1/api-keys', { name: 'somebody', scopes: ['map:read'] });
    let ticket: api.TicketView | undefined;
    await eventually('the team has a ticket', async () => {
      const { items } = await served.api.get<{ items: api.TicketView[] }>('/api/v1/tickets?state=open');
      ticket = items.find((one) => one.request_id === open.id);
      return ticket !== undefined;
    });
    pages = [
      '',
      'requests',
      ...['', '?tab=deadline', '?tab=kept', '?tab=timeline', '?tab=receipt'].map(
        (tab) => `requests/${id}${tab}`,
      ),
      `requests/${open.id}`,
      'tickets',
      `tickets/${ticket?.id}`,
      'map',
      'map?view=table',
      'map?view=gaps',
      'connections',
      'audit',
      'holds',
      'holds?released=true',
      'policy?right=erasure&category=user.financial',
      'consent',
      'settings?keys=all',
    ];
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  const settled = (page: Page) =>
    vi.waitFor(async () => {
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
      expect(await page.getByText('Loading').count()).toBe(0);
    }, 20_000);

  it.each(Object.entries(TEXTS))(
    'is text on every page, and none is wider for it: %s',
    async (name, text) => {
      await visit(browser, served.url, async ({ page, problems }) => {
        await signIn(page, house.key);
        await page.route('**/api/v1/**', async (route) => {
          if (route.request().url().includes('/events')) return route.continue();
          const response = await route.fetch();
          const isJson = response.headers()['content-type']?.includes('json') === true;
          if (!isJson || response.status() >= 300) return route.fulfill({ response });
          return route.fulfill({ response, json: rewritten(await response.json(), text) });
        });
        for (const path of name === 'words' ? pages.filter((one) => SPOKEN.test(one)) : pages) {
          await page.goto(`/app/${path}`);
          await settled(page);
          expect.soft(await page.evaluate(FITS), path).toBe(true);
          expect.soft(await page.evaluate('document.body.scrollHeight'), path).toBeLessThan(MOST_PIXELS);
          expect.soft(await page.locator('main img, main script').count(), path).toBe(0);
          expect.soft(await page.title(), path).not.toBe('1');
          expect.soft(await page.getByText('does not understand').count(), path).toBe(0);
          expect.soft(await page.locator('main').textContent(), path).not.toMatch(/\p{Bidi_Control}/u);
        }
        expect(await barriers(page)).toEqual([]);
        expect(problems).toEqual([]);
      });
    },
  );
});
