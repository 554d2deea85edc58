import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import axe from 'axe-core';
import { sql } from 'kysely';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { openHabeasHouse } from '../habeas-house.ts';

/** Where pictures are put for people to look at; nowhere without it. */
const pictures = process.env.HABEAS_TEST_PICTURES;

export const SECRET = Buffer.alloc(32, 7);

const PURPOSES = `
purposes:
  - code: shop
    name: { en: Running the shop }
    description: { en: 'Basket, sign-in and payment. It does not work without.' }
    legal_basis: contract
  - code: analytics
    name: { en: Analytics, ar: التحليلات }
    description: { en: 'Which pages people read and where they get stuck, so that we can improve them.' }
    legal_basis: consent
  - code: advertising
    name: { en: Advertising }
    description: { en: 'Offers that fit what you looked at, here and on other pages. Shared with partners.' }
    legal_basis: consent
    gpc: true
  - code: sale
    name: { en: Sale of data }
    legal_basis: opt_out
    gpc: true
notice:
  texts:
    en:
      title: Your privacy, your choice
      text: We use cookies and similar techniques to run this shop, to see what is useful, and to show offers. You decide what is allowed, and can change your mind at any time.
      accept: Accept all
      refuse: Refuse all
      settings: Privacy settings
      settings_text: Choose what we may use your data for. Nothing that needs your yes is used before you said it.
      save: Save my choices
      close: Close
      always: Always on
      saved: Your choice is kept.
      gpc: Your browser sends Global Privacy Control, and we follow it.
      policy: Privacy policy
      policy_url: https://acme.example/privacy
      link_us_opt_out: Do not sell or share my data
    ar:
      title: خصوصيتك، قرارك
      text: نستخدم ملفات تعريف الارتباط لتشغيل هذا المتجر ومعرفة ما هو مفيد. أنت تقرر ما هو مسموح به.
      accept: قبول الكل
      refuse: رفض الكل
      settings: إعدادات الخصوصية
      save: حفظ
      close: إغلاق
      always: دائما
    xx:
      title: '<img src=x onerror="hacked=1">'
      text: '</p><script>hacked=1</script>'
      accept: '<b>yes</b>'
      refuse: '"><svg onload=hacked=1>'
      settings: '&lt;i&gt;'
      save: save
      close: '" onclick="hacked=1'
      policy: a link
      policy_url: 'javascript:hacked=1'
jurisdictions:
  - { code: us-opt-out, regions: [US-CA], show: link }
  - { code: quiet, regions: [JP], show: nothing }
`;

/** What of a file comes later. */
interface Rest {
  readonly after: Promise<unknown>;
  readonly body: string;
}

interface SiteFile {
  readonly body: string;
  readonly headers: Record<string, string>;
  readonly waits: Promise<unknown> | undefined;
  readonly rest: Rest | undefined;
}

/** Habeas as it runs, a site of another origin that has its tag, and a browser. */
export interface ConsentSite extends AsyncDisposable {
  /** Of Habeas, without a slash at the end. */
  readonly habeas: string;
  readonly origin: string;
  readonly organization: string;
  /** Puts a file on the site; a page's body is what stands after the line of the tag. */
  put(
    path: string,
    body: string,
    options?: { headers?: Record<string, string>; waits?: Promise<unknown>; rest?: Rest },
  ): void;
  page(path: string, body: string, options?: PageOptions): string;
  browse(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** How many signals Habeas has. */
  signals(): Promise<number>;
  /** What Habeas says that somebody said. */
  saidOf(type: string, value: string): Promise<Record<string, boolean | null>>;
}

export interface PageOptions {
  /** Of the tag's script element. */
  readonly attributes?: string;
  readonly file?: 'tag.js' | 'headless.js';
  readonly headers?: Record<string, string>;
  /** What stands before the tag. */
  readonly before?: string;
}

export async function openConsentSite(): Promise<ConsentSite> {
  const files = new Map<string, SiteFile>();
  const server = createServer(async (request, response) => {
    const file = files.get(new URL(request.url ?? '', 'http://site').pathname);
    await file?.waits;
    response.writeHead(file === undefined ? 404 : 200, file?.headers);
    if (file?.rest !== undefined) {
      response.write(file.body);
      await file.rest.after;
    }
    response.end(file?.rest?.body ?? file?.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const house = await openHabeasHouse();
  writeFileSync(join(house.folder, 'purposes.yaml'), PURPOSES);
  writeFileSync(
    join(house.folder, 'habeas.yaml'),
    `consent: { purposes: purposes.yaml, origins: ['${origin}'], identity_secrets: ['${SECRET.toString('base64')}'] }\n`,
  );
  const { url: habeas, key } = await house.serve();
  const { organization } = (await (await fetch(`${habeas}/consent/v1/notice`)).json()) as {
    organization: string;
  };
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  const contexts: BrowserContext[] = [];

  const site: ConsentSite = {
    habeas,
    origin,
    organization,
    put(path, body, { headers = { 'content-type': 'text/javascript' }, waits, rest } = {}) {
      files.set(path, { body, headers, waits, rest });
    },
    page(path, body, { attributes = '', file = 'tag.js', headers = {}, before = '' } = {}) {
      site.put(
        path,
        `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Acme</title>${before}
<script src="${habeas}/consent/v1/${file}" ${attributes}></script></head><body>${body}</body></html>`,
        { headers: { 'content-type': 'text/html; charset=utf-8', ...headers } },
      );
      return `${origin}${path}`;
    },
    async browse(options) {
      const context = await browser.newContext({ locale: 'en-GB', ...options });
      contexts.push(context);
      return context;
    },
    async signals() {
      const { rows } = await sql<{
        count: number;
      }>`select count(*)::integer as count from consent_signals`.execute(house.database.db);
      return rows[0]?.count ?? 0;
    },
    async saidOf(type, value) {
      const answer = await fetch(`${habeas}/api/v1/consent:read`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ identity: { type, value } }),
      });
      const { purposes } = (await answer.json()) as { purposes: { code: string; said: boolean | null }[] };
      return Object.fromEntries(purposes.map(({ code, said }) => [code, said]));
    },
    async [Symbol.asyncDispose]() {
      for (const context of contexts) await context.close();
      await browser.close();
      server.closeAllConnections();
      server.close();
      await house[Symbol.asyncDispose]();
    },
  };
  return site;
}

/** A page of docs/examples. */
export function example(name: string): string {
  return readFileSync(join(import.meta.dirname, '../../../../docs/examples', name), 'utf8');
}

/** What the device remembers, as the tag wrote it. */
export interface Remembered {
  readonly id: string;
  readonly said: Record<string, { granted: boolean }>;
  readonly outbox: readonly unknown[];
}

export async function remembered(page: Page): Promise<Remembered | null> {
  return page.evaluate(`JSON.parse(localStorage.getItem('habeas-consent'))`);
}

/** What stands on the page in the way of anybody: WCAG 2.2 AA and good practice. */
export async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  )) as { violations: readonly { id: string; nodes: readonly { html: string }[] }[] };
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

export async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `consent-${name}.png`) });
}
