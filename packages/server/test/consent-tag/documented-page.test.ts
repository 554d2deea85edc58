import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireProgram } from '../requirements.ts';
import { type ConsentSite, example, openConsentSite } from './consent-site.ts';

const program = requireProgram('chromium', '--version');

describe.skipIf(program === undefined)('the page of docs/consent-tag.md', () => {
  let site: ConsentSite;

  beforeAll(async () => {
    site = await openConsentSite();
    site.put('/count-visits.js', 'self.counted = true');
    site.put('/map.html', 'map', { headers: { 'content-type': 'text/html' } });
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  it('does what the page says', async () => {
    const html = example('consent-page.html').replace('https://privacy.acme.example', site.habeas);
    site.put('/', html, { headers: { 'content-type': 'text/html' } });
    const page = await (await site.browse()).newPage();
    await page.goto(`${site.origin}/`);
    await page.waitForSelector('habeas-consent .banner');
    expect(await page.evaluate('[self.counted, document.title, document.body.className]')).toEqual([
      undefined,
      'ACME',
      '',
    ]);
    await page.click('habeas-consent .banner button >> text=Accept all');
    await page.waitForFunction(
      `document.title === 'ACME, with offers' && frames[0].location.pathname === '/map.html'`,
    );
    expect(await page.evaluate('[self.counted, document.body.className]')).toEqual([true, 'counts-visits']);
    await page.click('[data-consent-open]');
    await page.click('habeas-consent dialog button >> text=Refuse all');
    await page.waitForFunction(`document.title === 'ACME' && self.habeasConsent?.said.analytics === false`);
  });
});
