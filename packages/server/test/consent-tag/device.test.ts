import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { requireProgram } from '../requirements.ts';
import { type ConsentSite, openConsentSite, remembered, SECRET } from './consent-site.ts';

const program = requireProgram('chromium', '--version');
const ACCEPT = 'habeas-consent .banner button >> text=Accept all';
const BANNER = 'habeas-consent .banner';
const CALLS = /\/consent\/v1\/(notice|choices)/;
const RAN = `<script type="text/plain" data-purpose="analytics">(self.ran ??= []).push('analytics')</script>`;

describe.skipIf(program === undefined)('what a device remembers', () => {
  let site: ConsentSite;

  beforeAll(async () => {
    site = await openConsentSite();
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  const idOf = async (page: Page) => (await remembered(page))?.id ?? '';
  const sent = async (page: Page) => (await remembered(page))?.outbox.length === 0;
  const choose = (page: Page, choices: object) =>
    page.evaluate(`habeasConsent.ready.then(() => habeasConsent.choose(${JSON.stringify(choices)}))`);

  it('is nothing before somebody chose, and then goes to Habeas with what they were shown', async () => {
    const page = await (await site.browse()).newPage();
    await page.goto(site.page('/', RAN));
    await page.waitForSelector(BANNER);
    expect(await remembered(page)).toBeNull();
    expect(await page.context().cookies()).toEqual([]);
    await page.click(ACCEPT);
    await eventually('sent', () => sent(page));
    expect(await site.saidOf('anonymous_id', await idOf(page))).toEqual({
      shop: null,
      analytics: true,
      advertising: true,
      sale: true,
    });
    expect(await page.isVisible(BANNER)).toBe(false);
  });

  it('holds without a network, also on the next page, and is sent once when there is one', async () => {
    const before = await site.signals();
    const page = await (await site.browse()).newPage();
    const url = site.page('/offline', RAN);
    await page.goto(url);
    await page.waitForSelector(BANNER);
    await page.route(CALLS, (route) => route.abort('internetdisconnected'));
    await page.click(ACCEPT);
    await page.waitForFunction('self.ran?.length === 1');
    await page.goto(url);
    await page.waitForFunction('self.ran?.length === 1');
    await page.evaluate('habeasConsent.ready');
    // Nobody is asked again because Habeas cannot be reached, and the preference centre is there.
    expect(await page.isVisible(BANNER)).toBe(false);
    expect((await remembered(page))?.outbox).toHaveLength(1);
    await page.click('habeas-consent button.link');
    await page.click('habeas-consent .close');
    expect(await site.signals()).toBe(before);
    await page.unroute(CALLS);
    await page.evaluate(`dispatchEvent(new Event('online'))`);
    await eventually('sent', () => sent(page));
    await page.goto(url);
    await page.evaluate('habeasConsent.ready.then(() => habeasConsent.send())');
    expect(await site.signals()).toBe(before + 1);
    expect((await site.saidOf('anonymous_id', await idOf(page))).analytics).toBe(true);
  });

  it('is sent again when nobody knows whether it arrived, and is stored once', async () => {
    const before = await site.signals();
    const page = await (await site.browse()).newPage();
    const url = site.page('/lost', '');
    await page.goto(url);
    // Habeas stores it, and its answer is lost.
    let lost = 0;
    await page.route(/\/consent\/v1\/choices/, async (route) => {
      if (route.request().method() === 'POST') {
        await route.fetch();
        lost += 1;
      }
      await route.abort('connectionreset');
    });
    await page.click(ACCEPT);
    await eventually('stored', async () => lost > 0 && (await site.signals()) === before + 1);
    expect((await remembered(page))?.outbox).toHaveLength(1);
    await page.unroute(/\/consent\/v1\/choices/);
    await page.goto(url);
    await eventually('sent', () => sent(page));
    expect(await site.signals()).toBe(before + 1);
  });

  it('holds in the other tabs at once', async () => {
    const context = await site.browse();
    const [one, other] = [await context.newPage(), await context.newPage()];
    const url = site.page('/tabs', RAN);
    await one.goto(url);
    await other.goto(url);
    await other.waitForSelector(BANNER);
    await one.click(ACCEPT);
    await other.waitForSelector(BANNER, { state: 'hidden' });
    await other.waitForFunction('self.ran?.length === 1');
    // And a no: the other tab, too, stops what it ran.
    await choose(one, { analytics: false, advertising: false, sale: false });
    await other.waitForFunction('self.ran === undefined && habeasConsent?.said.analytics === false');
  });

  it('holds on a page that the browser kept as it was, when somebody goes back to it', async () => {
    const page = await (await site.browse()).newPage();
    await page.goto(site.page('/back', RAN));
    await page.click(ACCEPT);
    await page.waitForFunction('self.ran?.length === 1');
    // Another page wrote this, of which a page that is kept hears nothing.
    await page.evaluate(`{
      const memory = JSON.parse(localStorage.getItem('habeas-consent'));
      for (const said of Object.values(memory.said)) said.granted = false;
      localStorage.setItem('habeas-consent', JSON.stringify(memory));
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
    }`);
    await page.waitForFunction('self.ran === undefined && habeasConsent?.said.analytics === false');
  });

  it('is only the page itself where storage is blocked', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'habeas-blocked-'));
    mkdirSync(join(folder, 'Default'));
    const blocked = { profile: { default_content_setting_values: { cookies: 2 } } };
    writeFileSync(join(folder, 'Default', 'Preferences'), JSON.stringify(blocked));
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox'],
    });
    try {
      const before = await site.signals();
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      const url = site.page('/blocked', RAN);
      await page.goto(url);
      expect(
        await page.evaluate(`(() => { try { return typeof localStorage } catch { return 'blocked' } })()`),
      ).toBe('blocked');
      await page.click(ACCEPT);
      await page.waitForFunction('self.ran?.length === 1');
      expect(await page.evaluate('habeasConsent.isKept')).toBe(false);
      await eventually('stored', async () => (await site.signals()) === before + 1);
      await page.goto(url);
      await page.waitForSelector(BANNER);
      expect(await page.evaluate('self.ran')).toBeUndefined();
      expect(problems).toEqual([]);
    } finally {
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('follows Global Privacy Control once; a later choice stands', async () => {
    const context = await site.browse({ extraHTTPHeaders: {} });
    await context.addInitScript(
      `Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })`,
    );
    const before = await site.signals();
    const page = await context.newPage();
    const url = site.page('/gpc', RAN);
    await page.goto(url);
    await eventually('told', async () => (await site.signals()) === before + 1);
    const allowed = `['sale', 'advertising'].map((code) => habeasConsent.allowed(code))`;
    expect(await page.evaluate(allowed)).toEqual([false, false]);
    await page.click('habeas-consent .banner .more');
    expect(await page.textContent('habeas-consent dialog .top')).toContain('Global Privacy Control');
    await page.click('habeas-consent .close');
    await choose(page, { sale: true, advertising: true, analytics: true });
    await eventually('sent', () => sent(page));
    for (let visit = 0; visit < 2; visit += 1) {
      await page.goto(url);
      await page.evaluate('habeasConsent.ready.then(() => habeasConsent.send())');
      expect(await page.evaluate(allowed)).toEqual([true, true]);
    }
    // It refuses nothing any more, and nobody says that it does.
    await page.evaluate('habeasConsent.open()');
    expect(await page.textContent('habeas-consent dialog .top')).not.toContain('Global Privacy Control');
    // One by the browser, one by the person.
    expect(await site.signals()).toBe(before + 2);
    expect(await site.saidOf('anonymous_id', await idOf(page))).toMatchObject({
      sale: true,
      advertising: true,
    });
  });

  it('lets a choice stand that was made after Global Privacy Control and before Habeas heard of either', async () => {
    const context = await site.browse();
    await context.addInitScript(
      `Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })`,
    );
    const page = await context.newPage();
    await page.route(/\/consent\/v1\/choices/, (route) => route.abort());
    await page.goto(site.page('/gpc-offline', ''));
    await choose(page, { sale: true });
    await page.unroute(/\/consent\/v1\/choices/);
    await page.evaluate('habeasConsent.send()');
    await eventually('sent', () => sent(page));
    expect(await site.saidOf('anonymous_id', await idOf(page))).toMatchObject({
      sale: true,
      advertising: false,
    });
    expect(await page.evaluate(`habeasConsent.allowed('sale')`)).toBe(true);
  });

  describe('for somebody who signs in', () => {
    const tokenOf = (user: string, secret: Uint8Array = SECRET) =>
      new SignJWT({ identity: { type: 'user_id', value: user } })
        .setProtectedHeader({ alg: 'HS256' })
        .setAudience(`consent:${site.organization}`)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(secret);
    const identify = (page: Page, token: string) => page.evaluate(`habeasConsent.identify('${token}')`);

    it('becomes theirs, and what they said elsewhere comes back in the same call', async () => {
      const url = site.page('/sign-in', RAN);
      const phone = await (await site.browse()).newPage();
      await phone.goto(url);
      await choose(phone, { advertising: false, analytics: true });
      await identify(phone, await tokenOf('ada'));
      expect(await site.saidOf('user_id', 'ada')).toMatchObject({
        advertising: false,
        analytics: true,
        sale: null,
      });
      const desk = await (await site.browse()).newPage();
      await desk.goto(url);
      await choose(desk, { sale: false });
      await eventually('sent', () => sent(desk));
      const calls: string[] = [];
      desk.on('request', (request) => {
        if (request.method() === 'POST') calls.push(request.url());
      });
      await identify(desk, await tokenOf('ada'));
      expect(calls).toHaveLength(1);
      expect(await desk.evaluate('habeasConsent.said')).toEqual({
        advertising: false,
        analytics: true,
        sale: false,
      });
      expect(await site.saidOf('user_id', 'ada')).toMatchObject({
        advertising: false,
        analytics: true,
        sale: false,
      });
      expect(await desk.isVisible(BANNER)).toBe(false);
      await desk.waitForFunction('self.ran?.length === 1');
      // Signed out: the device is nobody's again.
      await desk.evaluate('habeasConsent.forget()');
      await desk.waitForSelector(BANNER);
      expect(await remembered(desk)).toBeNull();
    });

    it('does not load the page again and again where their refusal cannot be kept', async () => {
      const body = RAN.replaceAll('analytics', 'sale');
      const phone = await (await site.browse()).newPage();
      await phone.goto(site.page('/refuses', ''));
      await choose(phone, { sale: false });
      await identify(phone, await tokenOf('who refused'));
      const context = await site.browse();
      await context.addInitScript(
        `Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('blocked', 'SecurityError') } })`,
      );
      const page = await context.newPage();
      await page.goto(site.page('/refused', body));
      await page.waitForFunction('self.ran?.length === 1');
      await page.evaluate('self.old = true');
      await identify(page, await tokenOf('who refused'));
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
      expect(await page.evaluate('[self.old, habeasConsent.said]')).toEqual([true, { sale: false }]);
    });

    it('changes nothing when the token is not the back end’s', async () => {
      const page = await (await site.browse()).newPage();
      await page.goto(site.page('/forged', ''));
      await choose(page, { analytics: false });
      await eventually('sent', () => sent(page));
      await identify(page, await tokenOf('grace', Buffer.alloc(32, 1)));
      expect(await site.saidOf('user_id', 'grace')).toMatchObject({ analytics: null });
      expect(await page.evaluate('habeasConsent.said')).toEqual({ analytics: false });
      await page.evaluate('habeasConsent.send()');
      await eventually('sent again as nobody', () => sent(page));
    });
  });
});
