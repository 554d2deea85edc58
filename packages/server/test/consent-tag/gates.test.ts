import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { requireProgram } from '../requirements.ts';
import { type ConsentSite, example, openConsentSite } from './consent-site.ts';

const program = requireProgram('chromium', '--version');

/** Says that it ran. */
const ran = (name: string) => `(self.ran ??= []).push('${name}');`;
const gated = (attributes: string, text = '') => `<script type="text/plain" ${attributes}>${text}</script>`;

describe.skipIf(program === undefined)('what waits for consent', () => {
  let site: ConsentSite;

  beforeAll(async () => {
    site = await openConsentSite();
    site.put('/two.js', ran('two: file that is slow'));
    site.put('/four.js', ran('four: module'), { headers: { 'content-type': 'text/javascript' } });
    site.put('/six.js', ran('six: async'));
    site.put('/seven.js', ran('seven: data-src'));
    site.put('/nine.js', ran('nine: inserted late, file'));
    for (const [path, name] of [
      ['/frame', 'ten: frame'],
      ['/late-frame', 'eleven: frame inserted late'],
    ] as const)
      site.put(path, `<script>parent.ran.push('${name}')</script>`, {
        headers: { 'content-type': 'text/html' },
      });
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  const TEN = [
    gated('data-purpose="analytics"', ran('one: text')),
    gated('data-purpose="analytics" src="/two.js"'),
    gated('data-purpose="analytics"', ran('three: text after the file')),
    gated('data-purpose="analytics" data-type="module" src="/four.js"'),
    gated('data-purpose="analytics" data-type="module"', ran('five: text of a module')),
    gated('data-purpose="analytics" async src="/six.js"'),
    gated('data-purpose="analytics" data-src="/seven.js"'),
    `<iframe title="map" data-purpose="analytics" data-src="/frame"></iframe>`,
    // These never run here: there is no yes for both, no such purpose, and no purpose at all.
    gated('data-purpose="analytics advertising"', ran('both')),
    gated('data-purpose="analitics"', ran('unknown')),
    gated('data-purpose=""', ran('empty')),
  ].join('\n');

  /** Three more, from a script of the page. */
  const insertLate = (page: Page) =>
    page.evaluate(`{
      const late = (set) => document.body.append(Object.assign(document.createElement('script'), { type: 'text/plain' }, set));
      late({ text: "self.ran.push('eight: inserted late')" });
      document.body.lastElementChild.dataset.purpose = 'analytics';
      const box = document.createElement('div');
      box.innerHTML = '<script type="text/plain" data-purpose="analytics" src="/nine.js"></' + 'script>';
      document.body.append(box);
      const frame = Object.assign(document.createElement('iframe'), { title: 'late map' });
      Object.assign(frame.dataset, { purpose: 'analytics', src: '/late-frame' });
      document.body.append(frame);
    }`);
  const list = (page: Page): Promise<readonly string[]> => page.evaluate('self.ran ?? []');
  const choose = (page: Page, choices: object) =>
    page.evaluate(`habeasConsent.ready.then(() => habeasConsent.choose(${JSON.stringify(choices)}))`);
  const WANTED = [
    'eight: inserted late',
    'eleven: frame inserted late',
    'five: text of a module',
    'four: module',
    'nine: inserted late, file',
    'one: text',
    'seven: data-src',
    'six: async',
    'ten: frame',
    'three: text after the file',
    'two: file that is slow',
  ];
  const all = (page: Page) => page.waitForFunction(`self.ran?.length >= ${WANTED.length}`);

  it('is run once each after a yes, in the order of the page, and not before', async () => {
    const { promise: slow, resolve: answer } = Promise.withResolvers<void>();
    site.put('/two.js', ran('two: file that is slow'), {
      headers: { 'content-type': 'text/javascript' },
      waits: slow,
    });
    const page = await (await site.browse()).newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(site.page('/ten', TEN));
    await page.waitForSelector('habeas-consent .banner');
    await insertLate(page);
    expect(await list(page)).toEqual([]);
    expect(asked.filter((path) => /^\/(two|four|six|seven|nine|frame|late-frame)/.test(path))).toEqual([]);
    await page.click('habeas-consent .banner button >> text=Privacy settings');
    await page.click('habeas-consent label:has-text("Analytics")');
    await page.click('habeas-consent dialog button >> text=Save my choices');
    await page.waitForFunction(`self.ran?.includes('one: text')`);
    answer();
    await all(page);
    const order = await list(page);
    expect([...order].sort()).toEqual(WANTED);
    const inOrder = order.filter((name) => /^(one|two|three|seven|eight|nine)/.test(name));
    expect(inOrder.map((name) => name.split(':')[0])).toEqual([
      'one',
      'two',
      'three',
      'seven',
      'eight',
      'nine',
    ]);
    // Once more: nothing is left to run.
    await choose(page, { analytics: true });
    await page.evaluate(`new Promise((done) => requestAnimationFrame(() => setTimeout(done)))`);
    expect(await list(page)).toHaveLength(WANTED.length);
  });

  it('is run while the page is still being read, when the yes was there before', async () => {
    const context = await site.browse();
    const page = await context.newPage();
    await page.goto(site.page('/first', ''));
    await choose(page, { analytics: true });
    await page.goto(site.page('/ten-again', TEN));
    await insertLate(page);
    await all(page);
    expect([...(await list(page))].sort()).toEqual(WANTED);
    expect((await list(page))[0]).toBe('one: text');
  });

  it('is not run by halves, when the rest of its text is still on its way', async () => {
    const page = await (await site.browse()).newPage();
    await page.goto(site.page('/first', ''));
    await choose(page, { analytics: true });
    const { promise: after, resolve: comes } = Promise.withResolvers<void>();
    const head = `<!doctype html><title>Halves</title><script src="${site.habeas}/consent/v1/tag.js"></script><body><h1>Halves</h1>`;
    const [open, close] = ['<script type="text/plain" data-purpose="analytics">', '</script>'];
    site.put('/halves', `${head}${open}${ran('before')}${close}\n${open}${ran('half')}\n`, {
      headers: { 'content-type': 'text/html' },
      rest: { after, body: `${ran('whole')}${close}` },
    });
    const loaded = page.goto(`${site.origin}/halves`);
    await page.waitForFunction(`self.ran?.includes('before')`);
    await page.evaluate(`new Promise((done) => requestAnimationFrame(() => setTimeout(done)))`);
    comes();
    await loaded;
    await page.waitForFunction(`self.ran?.includes('whole')`);
    expect(await list(page)).toEqual(['before', 'half', 'whole']);
  });

  it('is never run after a no', async () => {
    const page = await (await site.browse()).newPage();
    const url = site.page('/refused', TEN);
    await page.goto(url);
    await page.click('habeas-consent .banner button >> text=Refuse all');
    await page.waitForSelector('habeas-consent .banner', { state: 'hidden' });
    await insertLate(page);
    await page.goto(url);
    await page.evaluate('habeasConsent.ready');
    await page.evaluate(`new Promise((done) => requestAnimationFrame(() => setTimeout(done)))`);
    expect(await list(page)).toEqual([]);
    expect(await page.isVisible('habeas-consent .banner')).toBe(false);
  });

  it('that fails does not hold up what stands behind it', async () => {
    const page = await (await site.browse()).newPage();
    await page.goto(
      site.page(
        '/broken',
        gated('data-purpose="analytics" src="/gone.js"') +
          gated('data-purpose="analytics"', 'throw new Error("bad")') +
          gated('data-purpose="analytics"', ran('after')),
      ),
    );
    await choose(page, { analytics: true });
    await page.waitForFunction(`self.ran?.length === 1`);
  });

  it('that never runs, and tells nobody, does not hold up what stands behind it', async () => {
    const page = await (await site.browse()).newPage();
    const body = [
      `<svg><script type="text/plain" data-purpose="analytics">${ran('svg')}</script></svg>`,
      gated('data-purpose="analytics" data-type="text/plain"', ran('plain')),
      gated('data-purpose="analytics" data-type="text/babel" src="/nine.js"'),
      gated('data-purpose="analytics" nomodule src="/nine.js"'),
      gated('data-purpose="analytics"', ran('after')),
    ];
    await page.goto(site.page('/never', body.join('')));
    await choose(page, { analytics: true });
    await page.waitForFunction(`self.ran?.length === 1`);
    expect(await list(page)).toEqual(['after']);
  });

  it('that cannot be put in is told, and does not hold up what stands behind it', async () => {
    const page = await (await site.browse()).newPage();
    const told: string[] = [];
    page.on('console', (message) => told.push(message.text()));
    const body =
      gated('data-purpose="analytics" data-src="/nine.js"') + gated('data-purpose="analytics"', ran('after'));
    const headers = { 'content-security-policy': "require-trusted-types-for 'script'; trusted-types 'none'" };
    await page.goto(site.page('/cannot', body, { attributes: 'data-trusted-types', headers }));
    await choose(page, { analytics: true });
    await eventually('what stands behind it ran', () => page.evaluate('self.ran?.length === 1'));
    expect(told.join()).toContain('TrustedScriptURL');
    // And what comes later runs as well.
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement('iframe'), { title: 'map' }))`,
    );
    await page.evaluate(
      `Object.assign(document.body.lastElementChild.dataset, { purpose: 'analytics', src: '/late-frame' })`,
    );
    await page.evaluate('habeasConsent.choose({ advertising: true })');
    await eventually('the frame ran', () => page.evaluate('self.ran.length === 2'));
  });

  it('runs after the banner is painted, also where it needs no yes', async () => {
    const page = await (await site.browse()).newPage();
    // Nothing but the banner can be the first paint of this page.
    const text = `${ran('sale')} self.ranAt = performance.now();`;
    await page.goto(site.page('/painted', gated('data-purpose="sale"', text)));
    await page.waitForFunction(
      `self.ranAt && performance.getEntriesByName('first-contentful-paint').length === 1`,
    );
    const [paintedAt, ranAt] = (await page.evaluate(
      `[performance.getEntriesByName('first-contentful-paint')[0].paintTime, self.ranAt]`,
    )) as [number, number];
    expect(paintedAt).toBeGreaterThan(0);
    expect(paintedAt).toBeLessThanOrEqual(ranAt);
    expect(await page.isVisible('habeas-consent .banner')).toBe(true);
  });

  it('that has run is ended by loading the page anew when the person changes their mind', async () => {
    const page = await (await site.browse()).newPage();
    const url = site.page('/withdrawn', gated('data-purpose="analytics"', ran('here')));
    await page.goto(url);
    await page.click('habeas-consent .banner button >> text=Accept all');
    await page.waitForFunction(`self.ran?.length === 1`);
    await page.evaluate('self.old = true');
    await page.click('habeas-consent button.link');
    await page.click('habeas-consent dialog button >> text=Refuse all');
    await page.waitForFunction(`self.old === undefined && self.habeasConsent?.said.analytics === false`);
    await page.evaluate('habeasConsent.ready');
    expect(await list(page)).toEqual([]);
  });

  it('and is told by an event instead, where the page wants that', async () => {
    const page = await (await site.browse()).newPage();
    const attributes = 'data-on-withdrawal="event"';
    const heard = `<script>self.heard = []; addEventListener('habeas-consent', ({ detail }) => heard.push(detail.said.analytics))</script>`;
    await page.goto(
      site.page('/event', heard + gated('data-purpose="analytics"', ran('here')), { attributes }),
    );
    await choose(page, { analytics: true });
    await page.waitForFunction(`self.ran?.length === 1`);
    await choose(page, { analytics: false });
    expect(await page.evaluate('heard.at(-1)')).toBe(false);
    expect(await list(page)).toEqual(['here']);
  });

  it('keeps its nonce and its trust under a strict content security policy', async () => {
    const policy = [
      "default-src 'none'",
      `script-src 'nonce-abc'`,
      `connect-src ${site.habeas}`,
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join('; ');
    const page = await (await site.browse()).newPage();
    const told: string[] = [];
    page.on('console', (message) => told.push(message.text()));
    const before = `<script nonce="abc">self.broken = []; document.addEventListener('securitypolicyviolation', (event) => broken.push(event.violatedDirective + ' ' + event.sample))</script>`;
    const body = [
      gated('nonce="abc" data-purpose="analytics"', ran('text')),
      gated('nonce="abc" data-purpose="analytics" src="/nine.js"'),
      gated('data-purpose="analytics"', ran('without a nonce')),
    ].join('');
    const headers = { 'content-security-policy': policy };
    await page.goto(
      site.page('/strict', body, { before, attributes: 'nonce="abc" data-trusted-types', headers }),
    );
    await page.waitForSelector('habeas-consent .banner');
    const style =
      'getComputedStyle(document.querySelector("habeas-consent").shadowRoot.querySelector(".banner"))';
    expect(await page.evaluate(`${style}.position`)).toBe('fixed');
    expect(await page.evaluate('broken')).toEqual([]);
    await page.click('habeas-consent .banner button >> text=Accept all');
    // Not by waitForFunction, which needs `eval` in the page.
    await eventually('both scripts ran', () => page.evaluate('self.ran?.length === 2'));
    await eventually('the third was told', async () => told.join().includes('lacks the nonce'));
    expect(await list(page)).toEqual(['text', 'nine: inserted late, file']);
    expect(await page.evaluate('broken')).toEqual([]);
  });

  it('is not run without the nonce of the tag where a policy trusts what trusted scripts put in', async () => {
    const page = await (await site.browse()).newPage();
    const told: string[] = [];
    page.on('console', (message) => told.push(message.text()));
    const smuggled = ['<script src="/nine.js"></script>', gated('data-purpose="shop" src="/nine.js"')];
    const body = [...smuggled, gated('nonce="abc" data-purpose="shop" src="/six.js"')].join('');
    const headers = { 'content-security-policy': "script-src 'nonce-abc' 'strict-dynamic'" };
    await page.goto(site.page('/smuggled', body, { attributes: 'nonce="abc"', headers }));
    await eventually('what the page means ran', () => page.evaluate('self.ran?.length > 0'));
    expect(await list(page)).toEqual(['six: async']);
    expect(told.join()).toContain('lacks the nonce');
  });

  it('does not load the page anew for a refusal of what can be refused no longer', async () => {
    const page = await (await site.browse()).newPage();
    await page.goto(site.page('/not-refused', ''));
    await choose(page, { shop: false, analytics: false });
    await page.goto(site.page('/always', gated('data-purpose="shop"', ran('here'))));
    await page.evaluate('self.old = true');
    await page.waitForFunction(`self.ran?.length === 1`);
    await choose(page, { analytics: true });
    await page.evaluate(`new Promise((done) => requestAnimationFrame(() => setTimeout(done)))`);
    expect(await page.evaluate('[self.old, self.ran]')).toEqual([true, ['here']]);
  });

  it('is gated by the headless tag as well, which shows nothing', async () => {
    const page = await (await site.browse()).newPage();
    await page.goto(site.page('/headless', TEN, { file: 'headless.js' }));
    await page.evaluate('habeasConsent.ready');
    await insertLate(page);
    expect(await page.evaluate('habeasConsent.mustAsk')).toBe(true);
    expect(await page.locator('habeas-consent').count()).toBe(0);
    await page.evaluate('habeasConsent.chooseAll(true)');
    await page.waitForFunction(`self.ran?.length === ${WANTED.length + 1}`);
    expect([...(await list(page))].sort()).toEqual(['both', ...WANTED].sort());
  });

  it('tells Google Consent Mode: denied first, then what holds, and again when it changes', async () => {
    const page = await (await site.browse()).newPage();
    const html = example('consent-mode.html')
      .replace('https://privacy.acme.example', site.habeas)
      .replace("<!-- Google's own tag goes here. -->", '<script>self.early = dataLayer.length</script>');
    site.put('/mode', html, { headers: { 'content-type': 'text/html' } });
    const url = `${site.origin}/mode`;
    const layer = async () =>
      (await page.evaluate('dataLayer.map((command) => [...command])')) as [string, string, object][];
    const denied = { ad_storage: 'denied', ad_user_data: 'denied', ad_personalization: 'denied' };
    await page.goto(url);
    await page.evaluate('habeasConsent.ready');
    expect((await layer())[0]).toEqual([
      'consent',
      'default',
      { analytics_storage: 'denied', ...denied, wait_for_update: 500 },
    ]);
    await choose(page, { analytics: true, advertising: false });
    expect((await layer()).at(-1)).toEqual([
      'consent',
      'update',
      { analytics_storage: 'granted', ...denied },
    ]);
    await page.goto(url);
    // What is remembered is told before the next script of the page runs.
    expect(await page.evaluate('early')).toBe(2);
    await page.evaluate('habeasConsent.ready');
    expect((await layer()).map(([, command]) => command)).toEqual(['default', 'update']);
    expect((await layer())[1]?.[2]).toEqual({ analytics_storage: 'granted', ...denied });
  });

  it('releases a frame again whose page gives it another address', async () => {
    const page = await (await site.browse()).newPage();
    await page.goto(site.page('/again', '<img id="again" data-purpose="analytics" data-src="/one.png">'));
    await page.evaluate('habeasConsent.ready');
    await choose(page, { analytics: true });
    await page.waitForFunction(`again.getAttribute('src') === '/one.png'`);
    await page.evaluate(`again.dataset.src = '/two.png'`);
    await choose(page, { advertising: false });
    await page.waitForFunction(`again.getAttribute('src') === '/two.png'`);
  });

  it('grants a signal of Google Consent Mode that serves several purposes where all of them are allowed', async () => {
    const page = await (await site.browse()).newPage();
    const html = example('consent-mode.html')
      .replace('https://privacy.acme.example', site.habeas)
      .replace(
        /data-consent-mode="[^"]*"/,
        'data-consent-mode="analytics=ad_storage,ad_user_data advertising=ad_storage"',
      );
    site.put('/shared-signal', html, { headers: { 'content-type': 'text/html' } });
    await page.goto(`${site.origin}/shared-signal`);
    await page.evaluate('habeasConsent.ready');
    const last = () => page.evaluate('[...dataLayer.at(-1)][2]');
    await choose(page, { analytics: false, advertising: true });
    expect(await last()).toEqual({ ad_storage: 'denied', ad_user_data: 'denied' });
    await choose(page, { analytics: true, advertising: true });
    expect(await last()).toEqual({ ad_storage: 'granted', ad_user_data: 'granted' });
  });
});
