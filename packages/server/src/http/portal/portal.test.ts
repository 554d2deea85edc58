import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AskingHouse, asker, codeIn, openAskingHouse, tokenIn } from '../../../test/asking-house.ts';
import { freePort } from '../../../test/free-port.ts';
import { requireProgram } from '../../../test/requirements.ts';

const program = requireProgram('chromium', '--version');
/** Where pictures of the pages are put for people to look at; nowhere without it. */
const pictures = process.env.HABEAS_TEST_PICTURES;
const LANGUAGES = ['en', 'de', 'fr', 'es', 'nl', 'it', 'pl'] as const;
const logo = join(tmpdir(), `habeas-portal-${process.pid}.svg`);

let house: AskingHouse;
let publicUrl: string;

beforeAll(async () => {
  writeFileSync(
    logo,
    '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><text y="30">ACME</text></svg>',
  );
  const port = await freePort();
  publicUrl = `http://127.0.0.1:${port}`;
  house = await openAskingHouse({
    publicUrl,
    intake: {
      page: undefined,
      limits: { asks_per_client: { most: 1_000, per: '1h' }, calls_per_client: { most: 10_000, per: '1h' } },
    },
    purposes: `purposes:
  - { code: marketing, name: { en: Advertising, de: Werbung }, description: { en: So that we can show you what you may like. }, legal_basis: opt_out }
  - { code: analytics, name: { en: Statistics }, legal_basis: consent }`,
    portal: { color: '#0b6e4f', logo, notice: 'https://acme.example/privacy' },
  });
  await house.app.listen({ port, host: '127.0.0.1' });
});

afterAll(async () => {
  await house?.[Symbol.asyncDispose]();
});

const get = (path: string, headers: Record<string, string> = {}) =>
  house.app.inject({ method: 'GET', url: path, headers });

const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  house.app.inject({
    method: 'POST',
    url: path,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: new URLSearchParams(form).toString(),
  });

const cookieIn = (answer: { readonly headers: Record<string, unknown> }, name: string) =>
  [answer.headers['set-cookie'] ?? []]
    .flat()
    .map(String)
    .find((text) => text.startsWith(`${name}=`));

describe('the pages for people', () => {
  it('are whole in each language, and below 15 kB with all that they load', async () => {
    const titles = new Set<string>();
    for (const language of LANGUAGES) {
      const { body, headers } = await get('/privacy', { 'accept-language': language });
      expect(headers['content-language']).toBe(language);
      expect(body).toContain(`<html lang="${language}" dir="ltr">`);
      expect(body).not.toMatch(/\{\{|undefined|\[object/);
      titles.add(/<title>(.*?)<\/title>/.exec(body)?.[1] ?? '');
      const loaded = [body, readFileSync(logo, 'utf8')].map((text) => gzipSync(text).length);
      expect(loaded.reduce((sum, bytes) => sum + bytes)).toBeLessThan(15 * 1024);
      expect([...body.matchAll(/(?:src|action)="([^"]+)"/g)].map(([, url]) => url)).toEqual(
        expect.arrayContaining(['/privacy', '/privacy/logo']),
      );
      expect(body).not.toMatch(/(?:src|action)="(?:https?:)?\/\//);
    }
    expect(titles.size).toBe(LANGUAGES.length);
  });

  it('keep a language that somebody chose, and say what the organization says', async () => {
    const chosen = await get('/privacy?lang=pl', { 'accept-language': 'de' });
    expect(cookieIn(chosen, 'habeas-lang')).toMatch(/^habeas-lang=pl; Path=\/privacy;/);
    const later = await get('/privacy', { 'accept-language': 'de', cookie: 'habeas-lang=pl' });
    expect(later.headers['content-language']).toBe('pl');
    expect(later.body).toContain('--mark: #0b6e4f');
    expect(later.body).toContain('href="https://acme.example/privacy"');
    expect((await get('/privacy/logo')).headers['content-type']).toBe('image/svg+xml');
  });

  it('let no other site in, and no script but their own', async () => {
    const { headers } = await get('/privacy');
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'nonce-[\w+/=]+'; style-src 'nonce-[\w+/=]+'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/,
    );
    expect([headers['referrer-policy'], headers['x-frame-options']]).toEqual(['same-origin', 'SAMEORIGIN']);
    const foreign = await post(
      '/privacy',
      { act: 'ask', right: 'access', email: 'a@example.org' },
      { origin: 'https://evil.example', host: 'habeas.example' },
    );
    expect([foreign.statusCode, cookieIn(foreign, 'habeas-request')]).toEqual([403, undefined]);
    const asked = await post('/privacy', { act: 'ask', right: 'access', email: 'a@example.org' });
    expect(cookieIn(asked, 'habeas-request')).toMatch(
      /^habeas-request=[\w-]{43}; Path=\/privacy; Max-Age=86400; HttpOnly; SameSite=Lax$/,
    );
  });

  it('come back with what was typed and what is wrong with it, as text', async () => {
    const typed = '"><script>alert(1)</script>';
    const answer = await post('/privacy', { act: 'ask', right: 'erasure', email: typed });
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain('role="alert"');
    expect(answer.body).toContain('value="&quot;&gt;&lt;script&gt;');
    expect(answer.body).not.toContain(typed);
    expect(answer.body).toContain('value="erasure" required checked');
    for (const form of [
      {},
      { right: 'everything', email: 'a@example.org' },
      { right: 'opt_out_of_sale', email: 'a@example.org' },
      { right: 'objection', email: 'a@example.org' },
    ])
      expect((await post('/privacy', form as Record<string, string>)).statusCode).toBe(400);
    for (const form of [{}, { act: 'constructor' }, { act: 'prove', code: 'x' }])
      expect(
        (await post('/privacy/request', form as Record<string, string>)).statusCode,
      ).toBeGreaterThanOrEqual(400);
    const lost = await get('/privacy/request', { cookie: `habeas-request=${'x'.repeat(43)}` });
    expect([lost.statusCode, cookieIn(lost, 'habeas-request')]).toEqual([
      404,
      expect.stringContaining('Max-Age=0'),
    ]);
    expect(lost.body).toContain('id="resume"');
  });

  it('are shown in frames of the sites that are named, with cookies for there', async () => {
    await using framed = await openAskingHouse({
      publicUrl: 'https://habeas.example',
      portal: { frames: ['https://www.acme.example'] },
    });
    const page = await framed.app.inject('/privacy');
    expect(page.headers['content-security-policy']).toContain('frame-ancestors https://www.acme.example');
    expect(page.headers['x-frame-options']).toBeUndefined();
    const asked = await framed.app.inject({
      method: 'POST',
      url: '/privacy',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'act=ask&right=access&email=a%40example.org',
    });
    expect(cookieIn(asked, 'habeas-request')).toMatch(/SameSite=None; Partitioned; Secure$/);
    expect(page.body).not.toContain('<img');
  });

  it('withdraw a request until it acts, and only after the proof', async () => {
    await using slow = await openAskingHouse({ policy: 'erasure: { wait: 2d }' });
    const send = (path: string, form: Record<string, string>, cookie: string) =>
      slow.app.inject({
        method: 'POST',
        url: path,
        headers: { 'content-type': 'application/x-www-form-urlencoded', cookie },
        payload: new URLSearchParams(form).toString(),
      });
    const asked = await send('/privacy', { act: 'ask', right: 'erasure', email: 'ada@example.org' }, '');
    const cookie = cookieIn(asked, 'habeas-request')?.split(';')[0] ?? '';
    expect((await send('/privacy/request', { act: 'withdraw' }, cookie)).statusCode).toBe(409);
    const code = codeIn(await slow.mailTo('ada@example.org'));
    expect((await send('/privacy/request', { act: 'prove', contact: 'c0', code }, cookie)).statusCode).toBe(
      303,
    );
    const [request] = (await slow.requests.list(asker, { limit: 1 })).items;
    await slow.inState(request?.id ?? '', 'waiting');
    expect((await send('/privacy/request', { act: 'withdraw' }, cookie)).headers.location).toBe(
      '/privacy/request',
    );
    await slow.inState(request?.id ?? '', 'cancelled');
    expect((await send('/privacy/request', { act: 'withdraw' }, cookie)).statusCode).toBe(409);
    // Neither that nor a link that is none ends the request in this browser.
    for (const refused of [
      await send('/privacy/request', { act: 'download' }, cookie),
      await send('/privacy/resume', { link: 'https://acme.example/#nothing' }, cookie),
    ])
      expect([refused.statusCode, cookieIn(refused, 'habeas-request')]).toEqual([404, undefined]);
  });
});

describe.skipIf(program === undefined)('a person', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  async function withPage(
    options: BrowserContextOptions,
    work: (page: Page) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
    const problems: string[] = [];
    const elsewhere: string[] = [];
    try {
      const page = await context.newPage();
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
          problems.push(message.text());
      });
      page.on('request', (request) => {
        if (!request.url().startsWith(publicUrl) && !request.url().startsWith('data:'))
          elsewhere.push(request.url());
      });
      await work(page);
      expect(problems).toEqual([]);
      expect(elsewhere).toEqual([]);
    } finally {
      await context.close();
    }
  }

  async function look(page: Page, name: string): Promise<void> {
    if (pictures !== undefined) {
      mkdirSync(pictures, { recursive: true });
      await page.screenshot({ path: join(pictures, `portal-${name}.png`), fullPage: true });
    }
  }

  async function barriers(page: Page): Promise<readonly string[]> {
    await page.evaluate(axe.source);
    const { violations } = (await page.evaluate(
      `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
    )) as { violations: readonly { id: string; nodes: readonly { html: string }[] }[] };
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  it('gets a copy of their data without a script, by keyboard alone', async () => {
    await withPage({ javaScriptEnabled: false, locale: 'de-DE', acceptDownloads: true }, async (page) => {
      await page.goto(`${publicUrl}/privacy`);
      expect(await page.title()).toBe('Ihre Daten bei ACME – ACME');
      await look(page, '1-ask');
      const press = async (...keys: readonly string[]) => {
        for (const key of keys) await page.keyboard.press(key);
      };
      await page.locator('input[name=right]').first().focus();
      await press('Space', 'Tab');
      await page.keyboard.type('ada@example.org');
      await press('Enter');
      await page.waitForURL('**/privacy/request');
      await look(page, '2-code');
      const code = codeIn(await house.mailTo('ada@example.org'));
      await page.locator('input[name=code]').focus();
      await page.keyboard.type(code === '00000000' ? '00000001' : '00000000');
      await press('Enter');
      await page.waitForSelector('[role=alert]');
      await look(page, '3-wrong');
      await page.locator('input[name=code]').focus();
      await page.keyboard.type(`${code.slice(0, 4)} ${code.slice(4)}`);
      await press('Enter');
      await page.waitForSelector('form[action="/privacy/request"] [value=forget]', { state: 'attached' });
      const [request] = (await house.requests.list(asker, { limit: 1 })).items;
      await house.inState(request?.id ?? '', 'completed');
      await page.goto(`${publicUrl}/privacy`);
      expect(page.url()).toBe(`${publicUrl}/privacy/request`);
      await look(page, '4-done');
      await page.locator('button', { hasText: 'Ihre Daten abholen' }).focus();
      await press('Enter');
      await page.waitForURL('**/privacy/download?sent');
      await look(page, '5-download-code');
      const mails = () =>
        house.mail.mails.filter(({ parsed }) => parsed.subject === 'Ihr Code für Ihre Daten bei ACME');
      await expect.poll(() => mails().length, { timeout: 20_000 }).toBe(1);
      const [mail] = mails();
      await page.locator('input[name=code]').focus();
      await page.keyboard.type(mail === undefined ? '' : codeIn(mail));
      await press('Enter');
      await page.waitForSelector('a[download]');
      await look(page, '6-ready');
      await page.locator('a[download]').focus();
      const [download] = await Promise.all([page.waitForEvent('download'), press('Enter')]);
      const stream = await download.createReadStream();
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(Buffer.from(chunk));
      expect(Buffer.concat(chunks).subarray(0, 2).toString()).toBe('PK');
      await page.goto(`${publicUrl}/privacy/request`);
      await page.locator('button', { hasText: 'Auf diesem Gerät beenden' }).press('Enter');
      await page.waitForURL(`${publicUrl}/privacy`);
      await page.goto(`${publicUrl}/privacy/request`);
      expect(await page.locator('#resume').count()).toBe(1);
    });
  });

  it('goes on from the link of the mail on another device, whose address keeps no secret', async () => {
    const asked = await house.ask({
      right: 'access',
      identities: [{ type: 'email', value: 'ben@example.org' }],
      language: 'fr',
    });
    const mail = await house.mailTo('ben@example.org');
    const link = /http:\S+\/privacy\/request#\S+/.exec(mail.parsed.text ?? '')?.[0] ?? '';
    expect(link).toContain(tokenIn(mail));
    await withPage({ locale: 'fr-FR' }, async (page) => {
      const seen: string[] = [];
      page.on('request', (request) => seen.push(request.url()));
      await page.goto(link);
      await page.waitForSelector('input[name=code]');
      expect(page.url()).toBe(`${publicUrl}/privacy/request`);
      expect(seen.join(' ')).not.toContain(tokenIn(mail));
      expect(await barriers(page)).toEqual([]);
      await page.fill('input[name=code]', codeIn(mail));
      await page.keyboard.press('Enter');
      await house.inState(asked.request_id, 'completed');
      await page.reload();
      expect(await page.textContent('[role=status]')).toContain('C’est fait.');
      expect(await barriers(page)).toEqual([]);
    });
    // Without a script the link is pasted. The one who proved it goes on, and the link of whoever only asked is over.
    await withPage({ javaScriptEnabled: false, locale: 'fr-FR' }, async (page) => {
      await page.goto(`${publicUrl}/privacy/request`);
      await page.fill('#link', link.replace(tokenIn(mail), asked.token));
      await page.keyboard.press('Enter');
      await page.waitForSelector('[role=alert]');
      await page.fill('#link', link);
      await page.keyboard.press('Enter');
      await page.waitForSelector('[role=status]');
      expect(await page.textContent('[role=status]')).toContain('C’est fait.');
    });
  });

  it('meets no barrier in light, in dark, on a phone, and says what is to be corrected', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await withPage(
        { colorScheme, viewport: { width: 360, height: 740 }, locale: 'en-GB' },
        async (page) => {
          await page.goto(`${publicUrl}/privacy`);
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
          await page.check('input[value=rectification]');
          expect(await barriers(page)).toEqual([]);
          await look(page, `7-correct-${colorScheme}`);
          await page.check('input[value=objection]');
          await page.check('input[name=purpose]');
          await page.fill('#email', `cleo-${colorScheme}@example.org`);
          expect(await barriers(page)).toEqual([]);
          await page.keyboard.press('Enter');
          await page.waitForSelector('input[name=code]');
          expect(await barriers(page)).toEqual([]);
          await look(page, `8-code-${colorScheme}`);
          await page.goto(`${publicUrl}/privacy/choices`);
          expect(await barriers(page)).toEqual([]);
          const email = `dora-${colorScheme}@example.org`;
          await page.fill('#email', email);
          await page.keyboard.press('Enter');
          await page.waitForSelector('#code');
          expect(await barriers(page)).toEqual([]);
          await page.fill('#code', codeIn(await house.mailTo(email)));
          await page.keyboard.press('Enter');
          await page.waitForSelector('input[name="choice.marketing"]');
          expect(await page.locator(':checked').count()).toBe(0);
          await page.locator('input[name="choice.marketing"][value=no]').check();
          await page.locator('button', { hasText: 'Save my choices' }).click();
          await page.waitForSelector('[role=status]');
          expect(await barriers(page)).toEqual([]);
          await look(page, `9-choices-${colorScheme}`);
        },
      );
    }
    const { items } = await house.requests.list(asker, { limit: 2, right: 'objection' });
    expect(items.map(({ purposes }) => purposes)).toEqual([['marketing'], ['marketing']]);
  });
});
