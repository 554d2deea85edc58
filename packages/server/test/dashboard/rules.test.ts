import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { api } from '@habeas/contract';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, openHouse, type Served } from '../e2e/house.ts';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { requireProgram } from '../requirements.ts';
import { builtDashboard } from './built-dashboard.ts';
import { barriers, FITS, openBrowser, picture, signIn, visit } from './dashboard-site.ts';

const program = requireProgram('chromium', '--version');

const PURPOSES = `
purposes:
  - { code: analytics, name: { en: Counting visits }, legal_basis: consent, data_categories: [user.behavior] }
  - { code: advertising, name: { en: "<b>Advertising</b>" }, legal_basis: opt_out, gpc: true }
`;
const POLICY = `rules:
  - name: invoices
    when: { right: erasure, category: user.financial }
    keep:
      justification: LegalObligationImpaired
      reason: Tax law asks us to keep invoices
      legal_basis: AO § 147
  - name: staff
    when: { right: erasure, subject_kind: employee }
    wait: 14d
    approval: required
`;
const EMAIL = 'grace@example.org';

describe.skipIf(program === undefined)('holds, the policy and consent in the dashboard', () => {
  let house: House;
  let served: Served;
  let browser: Browser;

  const holds = async (released: boolean) =>
    (await served.api.get<{ items: api.LegalHoldView[] }>(`/api/v1/legal-holds?released=${released}`)).items;
  const destination = async () =>
    (await served.api.get<{ items: api.ConsentDestination[] }>('/api/v1/consent/propagation')).items[0];

  beforeAll(async () => {
    // Nobody listens there.
    const url = `http://127.0.0.1:${await freePort()}/`;
    const secret = Buffer.alloc(32, 5).toString('base64');
    const destinations = [{ key: 'crm', webhook: { url, secret }, identities: ['email'] }];
    [house, browser] = await Promise.all([
      openHouse({ config: { policy: 'policy.yaml', consent: { purposes: 'purposes.yaml', destinations } } }),
      openBrowser(),
      builtDashboard(),
    ]);
    writeFileSync(join(house.folder, 'policy.yaml'), POLICY);
    writeFileSync(join(house.folder, 'purposes.yaml'), PURPOSES);
    served = await house.serve();
    const identity = { type: 'email', value: EMAIL };
    const notice = { version: '2026-03', language: 'en' };
    await served.api.post('/api/v1/consent', {
      signals: [
        { event_id: '1', identity, said_at: '2026-05-04T09:30:00Z', choices: { analytics: true }, notice },
        { event_id: '2', identity, said_at: '2026-05-05T09:30:00Z', choices: { advertising: false } },
      ],
    });
    await eventually('the destination did not take it', async () => {
      const { error = null } = (await destination()) ?? {};
      return error !== null;
    });
  });

  afterAll(async () => {
    await browser?.close();
    await house?.[Symbol.asyncDispose]();
  });

  it.each(['light', 'dark'] as const)('have no barrier, %s', async (colorScheme) => {
    await served.api.post('/api/v1/legal-holds', {
      scope: { kind: 'category', category: 'user.content' },
      reason: 'An audit <img src=x>',
    });
    await visit(
      browser,
      served.url,
      async ({ page, problems }) => {
        await signIn(page, house.key);
        for (const [name, path, there] of [
          ['holds', 'holds', 'An audit <img src=x>'],
          ['holds-released', 'holds?released=true', 'Released, newest first'],
          ['policy', 'policy', 'Law, unless a request names one'],
          ['policy-case', 'policy?right=erasure&category=user.financial', 'invoices'],
          ['consent', 'consent', 'Counting visits'],
        ] as const) {
          await page.goto(`/app/${path}`);
          await page.getByText(there).first().waitFor();
          expect([path, await barriers(page)]).toEqual([path, []]);
          expect([path, await page.evaluate(FITS)]).toEqual([path, true]);
          await picture(page, `${name}-${colorScheme}`);
        }
        await page.goto('/app/holds');
        await page.getByRole('button', { name: 'Place a hold…' }).click();
        for (const kind of ['a system', 'a data category', 'a person']) {
          await page.getByLabel('On', { exact: true }).selectOption(kind);
          expect([kind, await barriers(page)]).toEqual([kind, []]);
        }
        await picture(page, `holds-place-${colorScheme}`);
        expect(await page.locator('img').count()).toBe(0);
        expect(problems).toEqual([]);
      },
      // Axe would look at a dialog while it fades in.
      { colorScheme, reducedMotion: 'reduce' },
    );
    for (const { id } of await holds(false))
      await served.api.post(`/api/v1/legal-holds/${id}:release`, { reason: 'It is over' });
  });

  it('a hold on a person stops their erasure until it is released, with a reason', async () => {
    const { email } = house.acme.subject(7);
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, '/app/holds');
      await page.getByText('No hold is in force.').waitFor();
      await page.getByRole('button', { name: 'Place a hold…' }).click();
      await page.getByLabel('Value').fill(email);
      await page.getByLabel('Reason').fill('Case 17/2026');
      await page.getByRole('button', { name: 'Place the hold' }).click();
      await page.getByRole('row', { name: /a person, by email.*Case 17\/2026.*none now/ }).waitFor();
      expect(await page.content()).not.toContain(email);
      const { id } = await served.api.ask({
        right: 'erasure',
        identities: [{ type: 'email', value: email }],
      });
      await served.api.until(id, 'held');
      await page.getByRole('link', { name: id }).waitFor();
      await page.getByRole('button', { name: 'Release the hold on a person, by email' }).click();
      await page.getByLabel('Reason').fill('Case closed');
      await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
      await page.getByText('No hold is in force.').waitFor();
      await page.getByLabel('Which').selectOption('Released');
      await page.getByRole('row', { name: /Case 17\/2026.*Case closed/ }).waitFor();
      const [hold] = await holds(true);
      expect(hold).toMatchObject({ reason: 'Case 17/2026', release_reason: 'Case closed' });
      await eventually('the request goes on', async () => (await served.api.request(id)).state !== 'held');
      expect(problems).toEqual([]);
    });
  });

  it('the policy says which rule decides a case, and the case is in the address', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key, '/app/policy');
      await page.getByLabel('Data category').fill('user.financial.bank_account');
      await page.getByLabel('Kind of person').selectOption('employee');
      await page.getByRole('button', { name: 'Ask' }).click();
      const decision = page.getByRole('status', { name: 'The decision' });
      const told = async () => {
        await decision.getByRole('row', { name: /The data.*by AO § 147.*invoices.*line 2/ }).waitFor();
        await decision.getByRole('row', { name: /It waits.*14 days from its receipt.*staff/ }).waitFor();
        await decision.getByRole('row', { name: /Approval.*a person approves.*staff/ }).waitFor();
      };
      await told();
      expect(new URL(page.url()).search).toBe(
        '?right=erasure&category=user.financial.bank_account&subject_kind=employee',
      );
      await page.reload();
      await told();
      expect(await page.getByLabel('Kind of person').inputValue()).toBe('employee');
      await page.getByLabel('Right').selectOption('access');
      await page.getByRole('button', { name: 'Ask' }).click();
      await page.getByText('No rule fits this case.').waitFor();
      expect(problems).toEqual([]);
    });
  });

  it('what one person agreed to is looked up, with a receipt, and stands in no address', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      const addresses: string[] = [];
      page.on('request', (request) => addresses.push(request.url()));
      await signIn(page, house.key, '/app/consent');
      await page.getByLabel('Value').fill(EMAIL);
      await page.keyboard.press('Enter');
      const said = page.getByRole('status', { name: 'What they said' });
      await said.getByRole('row', { name: /Counting visits.*yes.*yes/ }).waitFor();
      await said.getByRole('row', { name: /<b>Advertising<\/b>.*no.*no/ }).waitFor();
      await said.getByRole('row', { name: /analytics: yes.*api.*2026-03, en/ }).waitFor();
      expect(await barriers(page)).toEqual([]);
      await picture(page, 'consent-person');
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        said.getByRole('button', { name: 'Save the receipt' }).first().click(),
      ]);
      const file = Buffer.concat((await Array.fromAsync(await download.createReadStream())) as Buffer[]);
      expect(api.consentReceiptSchema.parse(JSON.parse(file.toString())).receipt.organization).toBe('acme');
      expect([page.url(), ...addresses].filter((url) => decodeURIComponent(url).includes('grace'))).toEqual(
        [],
      );
      await page.getByLabel('Value').fill('nobody@example.org');
      await page.keyboard.press('Enter');
      await said.getByText('They said nothing that Habeas knows of.').waitFor();
      expect(problems).toEqual([]);
    });
  });

  it('home says that somebody does not take what people agree to, and leads to where it is sent again', async () => {
    await visit(browser, served.url, async ({ page, problems }) => {
      await signIn(page, house.key);
      const need = page.getByRole('region', { name: 'Consent that is not taken' });
      await need.getByRole('link', { name: /^crm: / }).click();
      await page.getByRole('row', { name: /crm.*webhook.*does not take it/ }).waitFor();
      const again = page.waitForResponse((answer) => answer.url().endsWith('/consent/propagation:retry'));
      await page.getByRole('button', { name: 'Send again to crm' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
      expect(await (await again).json()).toEqual({ messages: 1 });
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(problems).toEqual([]);
    });
  });

  it('who may look and not act is offered no act, and nobody’s choices', async () => {
    const body = { name: 'an auditor', scopes: api.ROLES.auditor };
    const { key } = await served.api.post<api.NewApiKeyView>('/api/v1/api-keys', body);
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, key, '/app/consent');
      await page.getByRole('row', { name: /crm/ }).waitFor();
      expect(await page.getByRole('button', { name: /Look up|Send again/ }).count()).toBe(0);
      await page.goto('/app/holds');
      await page.getByRole('region', { name: /In force/ }).waitFor();
      expect(await page.getByRole('button', { name: /Place|Release/ }).count()).toBe(0);
    });
    const none = { name: 'a team', scopes: api.ROLES.member };
    const other = await served.api.post<api.NewApiKeyView>('/api/v1/api-keys', none);
    await visit(browser, served.url, async ({ page }) => {
      await signIn(page, other.key);
      for (const path of ['holds', 'policy', 'consent']) {
        await page.goto(`/app/${path}`);
        await page.getByRole('alert').getByText('You may not see this').waitFor();
        expect([path, await barriers(page)]).toEqual([path, []]);
      }
    });
  });
});
