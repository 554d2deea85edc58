import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTargetHouse, PEOPLE, type TargetHouse } from '../../test/consent/target-house.ts';
import { runHabeas } from '../../test/run-habeas.ts';

let house: TargetHouse;
let folder: string;

beforeAll(async () => {
  house = await openTargetHouse();
  folder = mkdtempSync(join(tmpdir(), 'habeas-consent-'));
  writeFileSync(
    join(folder, 'habeas.yaml'),
    `organization: acme
consent:
  purposes: purposes.yaml
  targets:
    - key: ${house.target.key}
      url: \${SHOP_CONSENT_URL}
      tables:
        - { table: public.user_events, identity: user_id, key: user_key }
        - { table: public.letters, identity: email, column: address }
        - { table: public.orders, identity: customer }
        - { table: public.accounts, identity: account, column: account }
        - { table: public.sites, open: true }
      numbers: [customer]
      row_security: true
`,
  );
  writeFileSync(
    join(folder, 'purposes.yaml'),
    `purposes:
  - { code: analytics, name: { en: Analytics }, legal_basis: consent }
  - { code: advertising, name: { en: Advertising }, legal_basis: opt_out }
  - { code: fraud, name: { en: Fraud }, legal_basis: legitimate_interests }
`,
  );
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const habeas = (argv: readonly string[], input = '') =>
  runHabeas(argv, { folder, input, environment: { SHOP_CONSENT_URL: house.shopUrl } });

it('refuses to rewrite for a database in which nothing is installed, and says what to do', async () => {
  const { exit, notes } = await habeas(['consent', 'rewrite', '--purpose', 'analytics', '-'], 'select 1');
  expect(exit).toBe(2);
  expect(notes).toContain('habeas consent install');
});

it('plans, installs, finds nothing to do, and finds what somebody changed', async () => {
  const planned = await habeas(['consent', 'plan']);
  expect(planned).toMatchObject({
    exit: 1,
    out: expect.stringContaining('make       view purpose_fraud.letters'),
  });
  expect(await habeas(['consent', 'install', '--target', house.target.key])).toMatchObject({ exit: 0 });
  expect(await habeas(['consent', 'plan'])).toMatchObject({
    exit: 0,
    out: expect.stringContaining('nothing to do'),
  });
  await house.shop.query('alter table letters disable row level security');
  const drifted = await habeas(['consent', 'plan', '--json']);
  expect(drifted.exit).toBe(1);
  expect(drifted.json()).toMatchObject({
    items: [
      {
        action: 'restore',
        kind: 'row security',
        name: 'public.letters',
        why: expect.stringContaining('somebody changed it'),
      },
    ],
  });
  expect((await habeas(['consent', 'install'])).exit).toBe(0);
});

it('applies a saved plan, and nothing if anything changed since, or the plan was edited', async () => {
  const read = () => readFileSync(join(folder, 'plan.json'), 'utf8');
  const isHidden = async () =>
    (await house.shop.query("select relrowsecurity as it from pg_class where oid = 'letters'::regclass"))
      .rows[0]?.it;
  await house.shop.query('alter table letters disable row level security');
  expect((await habeas(['consent', 'plan', '--out', 'plan.json'])).exit).toBe(1);
  expect(read()).toContain('enable row level security');
  expect(await isHidden()).toBe(false);
  const saved = read();

  await house.shop.query('drop view purpose_fraud.letters');
  const changed = await habeas(['consent', 'apply', 'plan.json']);
  expect(changed).toMatchObject({ exit: 2, notes: expect.stringContaining('Plan again') });
  expect(await isHidden()).toBe(false);

  expect((await habeas(['consent', 'plan', '--out', 'plan.json'])).exit).toBe(1);
  const fresh = read();
  writeFileSync(
    join(folder, 'plan.json'),
    fresh.replace('enable row level security', 'disable row level security'),
  );
  expect(await habeas(['consent', 'apply', 'plan.json'])).toMatchObject({
    exit: 2,
    notes: expect.stringContaining('was changed'),
  });
  for (const [text, words] of [
    ['{', 'no JSON'],
    ['{}', 'no plan'],
    [saved, 'Plan again'],
  ] as const) {
    writeFileSync(join(folder, 'plan.json'), text);
    expect(await habeas(['consent', 'apply', 'plan.json'])).toMatchObject({
      exit: 2,
      notes: expect.stringContaining(words),
    });
  }

  writeFileSync(join(folder, 'plan.json'), fresh);
  expect(await habeas(['consent', 'apply', 'plan.json'])).toMatchObject({
    exit: 0,
    out: expect.stringContaining('view purpose_fraud.letters'),
  });
  expect(await isHidden()).toBe(true);
  expect((await habeas(['consent', 'plan'])).exit).toBe(0);
  expect(await habeas(['consent', 'apply', 'plan.json'])).toMatchObject({
    exit: 2,
    notes: expect.stringContaining('Plan again'),
  });
});

it('prints a statement that gives the rows of those who agreed alone, and explains it beside', async () => {
  await house.say(
    Array.from({ length: PEOPLE }, (_, person) => ({
      type: 'user_id' as const,
      person,
      choices: { analytics: person % 2 === 0, fraud: person !== 3 },
    })),
  );
  await house.sync();
  const sql = 'select count(*)::int as n from user_events -- of everybody\n';
  writeFileSync(join(folder, 'job.sql'), sql);
  const { out, notes, exit } = await habeas([
    'consent',
    'rewrite',
    '--purpose',
    'analytics',
    'job.sql',
    '--explain',
  ]);
  expect(exit).toBe(0);
  expect(out).toContain('-- of everybody');
  const { rows: expected } = await house.shop.query(
    `select count(*)::int as n from user_events where substr(user_id, 3) ~ '^[0-9]*[02468]$'`,
  );
  expect((await house.shop.query(out)).rows).toEqual(expected);
  expect(notes).toContain('public.user_events: bitmap, because "user_key" is the person\'s number');
  expect(notes).toContain(`* analytics: takes away ${82 - expected[0].n} of 82 rows`);
  const { rows: ofThree } = await house.shop.query(
    `select count(*)::int as n from user_events where user_id = 'u-3'`,
  );
  expect(notes).toContain(`  fraud: takes away ${ofThree[0].n} of 82 rows`);
});

it.each([
  ['letters', 'exists', 'analytics'],
  ['letters', 'not-exists', 'advertising'],
  ['orders', 'bitmap', 'advertising'],
])('narrows %s by %s for %s', async (table, form, purpose) => {
  const { exit, json } = await habeas(
    ['consent', 'rewrite', '--purpose', purpose, '-', '--json'],
    `select * from ${table}`,
  );
  expect(exit).toBe(0);
  expect(json()).toMatchObject({ purpose, relations: [{ name: table, form }] });
});

it.each([
  ['select 1; select 2', '2 statements'],
  ['select * from habeas_consent.signatures_email', 'consent.targets[].tables'],
  ['select * from "letters"/*\n*/ -- from sites', undefined],
  [`select '${'x'.repeat(1_000_001)}'`, 'are read'],
])('takes or refuses by name what is odd: %s', async (sql, reason) => {
  const { exit, notes } = await habeas(['consent', 'rewrite', '--purpose', 'fraud', '-'], sql);
  expect(exit).toBe(reason === undefined ? 0 : 1);
  expect(notes).toContain(reason ?? '');
});

it.each([
  [['consent', 'plan', '--target', 'other'], 'There is no target other'],
  [
    ['consent', 'rewrite', '--purpose', 'selling', '-'],
    'There is no purpose "selling"; there are: analytics, advertising, fraud',
  ],
  [['consent', 'rewrite', '--purpose', 'fraud', 'gone.sql'], 'gone.sql cannot be read'],
])('says what is wrong with %j', async (argv, words) => {
  const { exit, notes } = await habeas(argv, 'select 1');
  expect(exit).toBe(2);
  expect(notes.replace(/\s+/g, ' ')).toContain(words);
});
