import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type MariadbHouse, openMariadbHouse, PERSON_OF } from '../../../../test/consent/mariadb-house.ts';
import { PEOPLE, PURPOSES, type Said, TYPES } from '../../../../test/consent/talking-house.ts';
import { eventually } from '../../../../test/eventually.ts';
import { requireProgram } from '../../../../test/requirements.ts';
import { runHabeas } from '../../../../test/run-habeas.ts';
import { createLogger, systemClock } from '../../../foundation/index.ts';
import { createTargetSyncs, type InstallPlan, openTarget, syncTarget, type Target } from '../index.ts';

const program = requireProgram('mariadbd', '--version');

const shortly = ({ steps }: InstallPlan) =>
  steps.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

// What the server is told about roles and views is on its disk before it answers.
describe.skipIf(program === undefined)('a target in MariaDB', () => {
  let house: MariadbHouse;
  beforeAll(async () => {
    house = await openMariadbHouse();
  });
  afterAll(() => house?.[Symbol.asyncDispose]());

  const plan = (target: Target = house.target) => house.opened.plan(target);
  const apply = (target: Target = house.target) => house.opened.apply(target);
  const role = (code: string) => `habeas_${house.target.key}_${code}`;
  const idsOf = async (sql: string) => (await house.server.run(sql)).rows.map(({ id }) => Number(id));
  const seen = async (purpose: string, table: string) =>
    (await house.readAs(purpose, `select id from \`purpose_${purpose}\`.\`${table}\` order by id`)).map(
      ([id]) => Number(id),
    );

  it('says what it would make, makes that, and then has nothing to do', async () => {
    const planned = await plan();
    expect(shortly(planned)).toEqual(
      expect.arrayContaining([
        'make schema habeas_consent',
        'make table signatures_email',
        'make view purpose_fraud.letters',
        'make view purpose_fraud.old "ones"',
        `make role ${role('analytics')}`,
      ]),
    );
    expect((await house.server.run("show databases like 'purpose%'")).rows).toEqual([]);
    expect(shortly(await apply())).toEqual(shortly(planned));
    expect(shortly(await plan())).toEqual([]);
    expect(shortly(await apply())).toEqual([]);
  });

  it('shows nothing before the first sync, not even for what is allowed until refused', async () => {
    for (const { code } of PURPOSES)
      for (const table of Object.keys(PERSON_OF)) expect(await seen(code, table)).toEqual([]);
  });

  /** Rows that a purpose may see, by what was said. */
  const truth = async (said: readonly Said[], { code, optOut }: (typeof PURPOSES)[number], table: string) => {
    const { type, person } = PERSON_OF[table as keyof typeof PERSON_OF];
    const latest = new Map(
      said
        .filter((one) => one.type === type && one.choices[code] !== undefined)
        .map((one) => [one.person, one.choices[code]]),
    );
    const others = [...latest].filter(([, granted]) => granted !== optOut).map(([one]) => one);
    const list = others.length === 0 ? 'null' : others.join(',');
    return idsOf(
      `select id from shop.\`${table}\` where coalesce((${person}) in (${list}), false) = ${!optOut} order by id`,
    );
  };

  const arbitrary: fc.Arbitrary<readonly Said[]> = fc.array(
    fc.record({
      type: fc.constantFrom(...TYPES),
      person: fc.nat({ max: PEOPLE - 1 }),
      choices: fc.dictionary(fc.constantFrom(...PURPOSES.map(({ code }) => code)), fc.boolean(), {
        minKeys: 1,
      }),
    }),
    { minLength: 1, maxLength: 12 },
  );

  it('shows the reader of a purpose exactly the rows of those who agreed, or did not refuse', async () => {
    const all: Said[] = [];
    let numbered = false;
    let hidden = 0;
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.boolean(), async (fresh, reconcile) => {
        await house.say(fresh);
        all.push(...fresh);
        expect((await house.sync(reconcile)).drift ?? 0).toBe(0);
        if (numbered)
          await house.server.run(
            'update shop.user_events e join habeas_consent.signatures_user_id s on s.identity = e.user_id collate utf8mb4_nopad_bin set user_number = s.number where e.id % 5 <> 0',
          );
        numbered = true;
        for (const purpose of PURPOSES)
          for (const table of Object.keys(PERSON_OF)) {
            const expected = await truth(all, purpose, table);
            expect(await seen(purpose.code, table), `${purpose.code} ${table}`).toEqual(expected);
            hidden += 80 - expected.length;
          }
      }),
      { numRuns: 12, endOnFailure: true },
    );
    expect(hidden).toBeGreaterThan(0);
  });

  it('compares identities letter by letter, whatever the collation of the column is', async () => {
    await house.server.run("insert into shop.user_events values (1005, 'ü-1', null, 's2', 2)");
    await house.say([{ type: 'user_id', person: 1, choices: { analytics: true, advertising: false } }]);
    await house.sync();
    // U-1, `u-1 ` and ü-1 are not u-1, though the collation of the column says so of two of them.
    const odd = async (purpose: string) => (await seen(purpose, 'user_events')).filter((id) => id > 1002);
    expect(await odd('analytics')).toEqual([]);
    // Nobody can tell there whether ü-1 is somebody who refused, written in another way.
    expect(await odd('advertising')).toEqual([1003, 1004]);
    await house.server.run('delete from shop.user_events where id = 1005');
  });

  it('hides an identity in other letters than ASCII unless it is known as it stands, so that nobody who refused is seen', async () => {
    const ids = ['zoe\u0308', 'zo\u00eb', 'ann\u00e9', 'anne\u0301', 'stranger'];
    for (const [index, id] of ids.entries())
      await house.server.run("insert into shop.user_events values (?, ?, null, 's1', 1)", [
        2_000 + index,
        id,
      ]);
    const say = (identity: string, choices: Said['choices']) =>
      house.say([{ type: 'user_id', person: 0, identity, choices }]);
    await say('zo\u00eb', { advertising: false });
    await say('ann\u00e9', { advertising: true, analytics: true });
    await house.sync();
    const odd = async (purpose: string) =>
      (await seen(purpose, 'user_events')).filter((id) => id >= 2_000).map((id) => ids[id - 2_000]);
    expect(await odd('advertising')).toEqual(['ann\u00e9', 'stranger']);
    expect(await odd('analytics')).toEqual(['ann\u00e9']);
    await house.server.run('delete from shop.user_events where id >= 2000');
  });

  it('hides an address in other letters than ASCII unless it is known as it stands, so that nobody who refused is seen', async () => {
    const addresses = [
      'ÄNNE@example.org',
      'änne@example.org',
      'a\u030anne@example.org',
      'ЖЕНЯ@example.org',
      'women@example.org',
      '\u00a0ada@example.org',
      'İ@example.org',
      'i@example.org',
    ];
    for (const [index, address] of addresses.entries())
      await house.server.run('replace into shop.letters values (?, ?, 0)', [2_000 + index, address]);
    const say = (identity: string, choices: Said['choices']) =>
      house.say([{ type: 'email', person: 0, identity, choices }]);
    await say('änne@example.org', { advertising: true, analytics: true });
    await say('ånne@example.org', { advertising: false });
    await say('женя@example.org', { advertising: false });
    await say('ada@example.org', { advertising: false });
    await say('i@example.org', { analytics: true });
    await house.sync();
    const odd = async (purpose: string) =>
      (await seen(purpose, 'letters')).filter((id) => id >= 2_000).map((id) => addresses[id - 2_000]);
    expect(await odd('advertising')).toEqual(['änne@example.org', 'women@example.org', 'i@example.org']);
    expect(await odd('analytics')).toEqual(['änne@example.org', 'i@example.org']);
    await house.server.run('delete from shop.letters where id >= 2000');
  });

  it('knows whole numbers of 64 bits, and hides rows with larger ones, of which nobody could note a refusal', async () => {
    const numbers = [
      '1234567890123456789',
      '9223372036854775806',
      '9223372036854775808',
      '18446744073709551615',
    ];
    for (const [index, number] of numbers.entries())
      await house.server.run(`insert into shop.orders values (${2_000 + index}, ${number}, 0)`);
    for (const identity of [...numbers, '99999999999999999999', '-9223372036854775809'])
      await house.say([
        {
          type: 'customer',
          person: 0,
          identity,
          choices: { analytics: true, advertising: identity.endsWith('6') },
        },
      ]);
    await house.sync();
    const large = async (purpose: string) => (await seen(purpose, 'orders')).filter((id) => id >= 2_000);
    expect(await large('advertising')).toEqual([2_001]);
    expect(await large('analytics')).toEqual([2_000, 2_001]);
    expect((await house.sync(true)).drift).toBe(0);
    await house.server.run('delete from shop.orders where id >= 2000');
  });

  const ODD_SEVENS = ['7\n', '7 ', '07', '-0', '+7', '\uff17', '7\r\n', 'x\n7'];

  it('takes no identity for a number but as it is written, whatever the server says about regular expressions', async () => {
    const said = (identity: string, choices: Said['choices']): Said => ({
      type: 'customer',
      person: 0,
      identity,
      choices,
    });
    const sevens = async (purpose: string) => (await seen(purpose, 'orders')).filter((id) => id >= 2_000);
    await house.server.run('insert into shop.orders values (2000, 7, 0), (2001, 8, 0)');
    for (const flags of ['', 'MULTILINE', 'UNGREEDY,EXTENDED']) {
      await house.server.run('set global default_regex_flags = ?', [flags]);
      const fresh = openTarget({ key: house.target.key, url: house.url });
      const sync = async (reconcile = false) => {
        const source = await house.source.connect();
        const { target, openValue } = house;
        return syncTarget({ target, source, changeable: fresh, openValue, reconcile }).finally(() =>
          source.release(),
        );
      };
      try {
        await house.say(ODD_SEVENS.map((one) => said(one, { analytics: true, advertising: false })));
        await sync();
        expect(await sevens('analytics')).toEqual([]);
        expect(await sevens('advertising')).toEqual([2000, 2001]);
        await house.say([said('7', { analytics: true, advertising: false })]);
        await sync();
        expect(await sevens('analytics')).toEqual([2000]);
        expect(await sevens('advertising')).toEqual([2001]);
        await house.say([said('7', { analytics: false, advertising: true }), said('8', { analytics: true })]);
        await sync();
        expect(await sevens('analytics')).toEqual([2001]);
        expect(await sevens('advertising')).toEqual([2000, 2001]);
        expect((await sync(true)).drift).toBe(0);
        await house.say([said('8', { analytics: false })]);
        await house.server.run("delete from habeas_consent.signatures_customer where identity in ('7', '8')");
      } finally {
        await fresh.close();
        await house.server.run("set global default_regex_flags = ''");
      }
    }
    await house.server.run('delete from shop.orders where id in (2000, 2001)');
    await house.sync(true);
  });

  it('removes somebody who has the number of another, and goes on', async () => {
    const sevens = async () => (await seen('analytics', 'orders')).filter((id) => id === 2_000);
    await house.server.run('insert into shop.orders values (2000, 70, 0)');
    const wrong = (identity: string) =>
      house.server.run(
        'insert into habeas_consent.signatures_customer (identity, number, granted, denied) values (?, 70, 255, 0)',
        [identity],
      );
    const say = (identity: string, analytics: boolean) =>
      house.say([{ type: 'customer', person: 0, identity, choices: { analytics } }]);
    await say('70\n', true);
    await house.sync();
    await wrong('70\n');
    expect(await sevens()).toEqual([2000]);
    expect((await house.sync(true)).drift).toBeGreaterThan(0);
    expect(await sevens()).toEqual([]);
    await wrong('70\n');
    await say('70', false);
    await say('70\n', true);
    await house.sync();
    expect(await sevens()).toEqual([]);
    expect((await house.sync(true)).drift).toBe(0);
    await house.server.run('delete from shop.orders where id = 2000');
  });

  it('hides rows with identities that are too long to be known, where they would be allowed until refused', async () => {
    const long = `${'x'.repeat(900)}`;
    await house.server.run('replace into shop.letters values (2000, ?, 0), (2001, ?, 0)', [
      long,
      'y'.repeat(700),
    ]);
    await house.say([{ type: 'email', person: 0, identity: long, choices: { advertising: false } }]);
    await house.sync();
    expect((await seen('advertising', 'letters')).filter((id) => id >= 2_000)).toEqual([2001]);
    await house.server.run('delete from shop.letters where id >= 2000');
  });

  it('keeps the reader of a purpose from the tables themselves, from what people said, and from other purposes', async () => {
    for (const table of [
      'shop.user_events',
      'shop.sites',
      'habeas_consent.signatures_email',
      'habeas_consent.filled',
      'purpose_analytics.letters',
    ])
      await expect(house.readAs('fraud', `select * from ${table}`)).rejects.toMatchObject({ errno: 1142 });
    await expect(house.readAs('fraud', 'update purpose_fraud.letters set words = 0')).rejects.toMatchObject({
      errno: 1142,
    });
    await house.asInstaller(`revoke \`${role('analytics')}\` from analyst`);
  });

  it('brings over what changed and nothing else, all of it or none', async () => {
    await house.say([1, 2].map((person) => ({ type: 'email', person, choices: { analytics: true } })));
    await house.sync();
    await house.say([{ type: 'email', person: 1, choices: { analytics: false } }]);
    expect((await house.sync()).changed).toBe(1);
    expect((await house.sync()).changed).toBe(0);
    const before = await seen('analytics', 'letters');
    await expect(
      house.opened.change(async (store) => {
        const purposes = await store.installedPurposes(house.target);
        await store.begin();
        await store.merge({ type: 'email', purposes, isNumber: false }, { complete: true });
        throw new Error('the source is gone');
      }),
    ).rejects.toThrow();
    expect(await seen('analytics', 'letters')).toEqual(before);
    expect(before.length).toBeGreaterThan(0);
  });

  it.each([
    [
      'a signature',
      `update habeas_consent.signatures_user_id set granted = 0, denied = 0 where identity = 'u-1'`,
    ],
    ['a number', 'update habeas_consent.signatures_customer set number = 12345678 where number = 1700'],
    [
      'somebody who said nothing',
      `insert into habeas_consent.signatures_user_id (identity, granted, denied) values ('stranger', 1, 0)`,
    ],
    ['somebody who is gone', `delete from habeas_consent.signatures_user_id where identity = 'u-1'`],
  ])('finds and mends %s that somebody changed', async (_, change) => {
    await house.say([
      { type: 'user_id', person: 1, choices: { analytics: true } },
      { type: 'customer', person: 1, choices: { analytics: true } },
    ]);
    await house.sync();
    await house.server.run(change);
    expect((await house.sync()).drift).toBeUndefined();
    expect((await house.sync(true)).drift).toBeGreaterThan(0);
    expect((await house.sync(true)).drift).toBe(0);
  });

  it('finds what somebody changed, names it, and puts it right', async () => {
    const changes = {
      'view purpose_fraud.letters':
        'create or replace view purpose_fraud.letters as select * from shop.letters',
      'view purpose_fraud.orders':
        'alter sql security invoker view purpose_fraud.orders as select * from shop.orders',
      'view purpose_analytics.sites': 'drop view purpose_analytics.sites',
      'view purpose_advertising.sites': 'grant select on purpose_advertising.sites to analyst',
      [`role ${role('fraud')}`]: `grant select on shop.letters to \`${role('fraud')}\``,
      [`role ${role('analytics')}`]: `grant select (address) on shop.letters to \`${role('analytics')}\``,
      [`role ${role('advertising')}`]: `drop role \`${role('advertising')}\``,
      'table signatures_email': 'alter table habeas_consent.signatures_email drop primary key',
      'table signatures_user_id':
        'create trigger habeas_consent.t before update on habeas_consent.signatures_user_id for each row set new.granted = 7',
    };
    for (const [name, change] of Object.entries(changes))
      await (name.endsWith('advertising') ? house.asInstaller(change) : house.server.run(change));
    const { drift } = await plan();
    expect(drift.map(({ action, kind, name }) => `${action} ${kind} ${name}`).sort()).toEqual(
      Object.keys(changes)
        .map((name) => `restore ${name}`)
        .sort(),
    );
    await house.server.run('revoke select on purpose_advertising.sites from analyst');
    await apply();
    expect(shortly(await plan())).toEqual([]);
    await house.sync();
    expect((await seen('fraud', 'letters')).length).toBeGreaterThan(0);
    for (const wide of ['shop.*', 'habeas_consent.signatures_email', 'habeas_consent.*']) {
      await house.server.run(`grant select on ${wide} to \`${role('fraud')}\``);
      expect(shortly(await plan())).toContain(`restore role ${role('fraud')}`);
    }
    await apply();
    expect(shortly(await plan())).toEqual([]);
  });

  it('shows the same whatever a session says about blanks and about regular expressions', async () => {
    await house.say(
      [1, 2, 3, 4, 6, 9].flatMap((person) =>
        (['user_id', 'email'] as const).map((type) => ({ type, person, choices: { advertising: false } })),
      ),
    );
    const lines = 'two\n lines@example.org';
    await house.server.run('insert into shop.letters values (2000, ?, 0)', [lines]);
    await house.say([{ type: 'email', person: 0, identity: lines, choices: { advertising: false } }]);
    await house.sync();
    const shown = async () => [await seen('advertising', 'letters'), await seen('advertising', 'old "ones"')];
    const before = await shown();
    expect(before[0]).not.toContain(2_000);
    const [mode] = (await house.server.run('select @@global.sql_mode as mode')).rows;
    await house.server.run(
      "set global sql_mode = 'PAD_CHAR_TO_FULL_LENGTH', default_regex_flags = 'UNGREEDY,MULTILINE'",
    );
    try {
      expect(await shown()).toEqual(before);
    } finally {
      await house.server.run("set global sql_mode = ?, default_regex_flags = ''", [mode?.mode]);
      await house.server.run('delete from shop.letters where id = 2000');
    }
  });

  it('keeps each person’s number when their table is made anew', async () => {
    await house.sync(true);
    const numbers = async () =>
      (
        await house.server.run(
          'select identity, number from habeas_consent.signatures_user_id order by identity',
        )
      ).rows;
    const before = await numbers();
    expect(before.length).toBeGreaterThan(2);
    await house.server.run('create index denied on habeas_consent.signatures_user_id (denied)');
    expect(shortly(await apply()).join()).toContain('restore table signatures_user_id');
    expect(await numbers()).toEqual(before);
    expect(shortly(await plan())).toEqual([]);
    await house.sync(true);
  });

  it('refuses to end with a role that reads more by another role, or because everybody may', async () => {
    for (const [more, less] of [
      ['grant select on shop.letters to public', 'revoke select on shop.letters from public'],
      ['grant teller to `ROLE_fraud`', 'revoke teller from `ROLE_fraud`'],
    ] as const) {
      await house.asInstaller('create role if not exists teller');
      await house.server.run('grant select on shop.letters to teller');
      const as = more.includes('teller to') ? house.asInstaller : house.server.run;
      await as(more.replace('ROLE', `habeas_${house.target.key}`));
      await expect(apply()).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('letters'),
      });
      await as(less.replace('ROLE', `habeas_${house.target.key}`));
      await apply();
    }
  });

  it('names what nobody planned where only planned things may be, and leaves it', async () => {
    await house.server.run('create view purpose_fraud.extra as select 1 as one');
    expect(shortly(await apply())).toEqual(['unknown view purpose_fraud.extra']);
    expect((await house.server.run('select * from purpose_fraud.extra')).rows).toEqual([{ one: 1 }]);
    const without = { ...house.target, purposes: PURPOSES.filter(({ code }) => code !== 'fraud') };
    await expect(apply(without)).rejects.toMatchObject({ code: 'SYSTEM_FAILED' });
    await house.server.run('drop view purpose_fraud.extra');
  });

  it('goes on where it was interrupted, and follows tables and purposes that come and go', async () => {
    const less: Target = {
      ...house.target,
      tables: house.target.tables.filter(({ name }) => name !== 'letters'),
      purposes: house.target.purposes.filter(({ code }) => code !== 'fraud'),
    };
    await apply(less);
    expect((await house.server.run("show databases like 'purpose%'")).rows.flatMap(Object.values)).toEqual([
      'purpose_advertising',
      'purpose_analytics',
    ]);
    expect((await house.server.run('show tables in purpose_analytics')).rows).toHaveLength(4);
    expect(shortly(await plan(less))).toEqual([]);
    const numbers = () =>
      house.server.run('select code, number from habeas_consent.purposes order by number');
    const before = await numbers();
    await apply();
    expect((await numbers()).rows).toEqual(before.rows);
    await house.sync();
    expect((await seen('fraud', 'letters')).length).toBeGreaterThan(0);
  });

  it('shows nothing of a purpose that is no longer allowed until refused', async () => {
    await apply({
      ...house.target,
      purposes: house.target.purposes.map((one) => ({ ...one, optOut: false })),
    });
    const strangers = (await seen('fraud', 'user_events')).filter((id) => id > 1000);
    expect(strangers).toEqual([]);
    await apply();
    await house.sync();
    expect((await seen('fraud', 'user_events')).filter((id) => id > 1000)).toEqual([1001, 1002, 1003, 1004]);
  });

  it.each([
    ['has no column nobody', { column: 'nobody' }],
    ['shop.nothing is not there', { name: 'nothing' }],
    ['is a datetime, and people are named by texts', { name: 'odd', column: 'at' }],
    ['is a varchar, and no whole number', { name: 'user_events', key: 'user_id' }],
  ])('says what is wrong: %s', async (words, change) => {
    await house.server.run('create table if not exists shop.odd (at datetime)');
    const tables = house.target.tables.map((table) => ({ ...table, ...change }));
    await expect(plan({ ...house.target, tables })).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining(words),
    });
  });

  it('leaves a target of somebody else alone', async () => {
    await expect(plan({ ...house.target, organizationId: 'other' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  it('is kept in step by the server, which says since when', async () => {
    const { target, url, source, openValue } = house;
    await apply();
    const every = { syncEveryMilliseconds: 50, reconcileEveryMilliseconds: 86_400_000 };
    const logger = createLogger({ level: 'silent' });
    const syncs = createTargetSyncs({
      organizationId: target.organizationId,
      targets: [{ target, url, ...every }],
      pool: source,
      openValue,
      clock: systemClock,
      logger,
    });
    await house.say([{ type: 'customer', person: 3, choices: { analytics: false } }]);
    await syncs.start();
    try {
      const has = async () => (await seen('analytics', 'orders')).includes(3);
      await eventually('customer 3 refused', async () => !(await has()));
      await house.say([{ type: 'customer', person: 3, choices: { analytics: true } }]);
      await eventually('customer 3 agreed', has);
      expect(syncs.statuses()).toMatchObject([
        { target: target.key, exactAt: expect.any(Date), error: undefined },
      ]);
    } finally {
      await syncs.stop();
    }
  });

  it('is planned and made by the same commands, and its statements are not rewritten', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'habeas-maria-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const config = (more = '') => `organization: acme
consent:
  purposes: purposes.yaml
  targets:
    - key: ${house.target.key}
      url: \${SHOP_MARIADB_URL}
      tables:
        - { table: shop.user_events, identity: user_id, key: user_number }
        - { table: shop.letters, identity: email, column: address }
        - { table: shop.orders, identity: customer }
      numbers: [customer]
${more}`;
    writeFileSync(join(folder, 'habeas.yaml'), config());
    const bases = { analytics: 'consent', advertising: 'opt_out', fraud: 'legitimate_interests' };
    const purposes = Object.entries(bases).map(([code, legal_basis]) => ({
      code,
      name: { en: code },
      legal_basis,
    }));
    writeFileSync(join(folder, 'purposes.yaml'), JSON.stringify({ purposes }));
    const habeas = (...argv: readonly string[]) =>
      runHabeas(['consent', ...argv], {
        folder,
        input: 'select 1',
        environment: { SHOP_MARIADB_URL: house.url },
      });
    const planned = await habeas('plan', '--out', 'plan.json');
    expect([planned.exit, planned.out]).toEqual([
      1,
      expect.stringContaining('remove     view purpose_fraud.sites'),
    ]);
    await house.server.run('create or replace view purpose_fraud.letters as select * from shop.letters');
    expect(await habeas('apply', 'plan.json')).toMatchObject({
      exit: 2,
      notes: expect.stringContaining('Plan again'),
    });
    expect((await habeas('install')).exit).toBe(0);
    expect((await habeas('plan')).exit).toBe(0);
    const rewritten = await habeas('rewrite', '--purpose', 'fraud', '-');
    expect([rewritten.exit, rewritten.notes]).toEqual([2, expect.stringContaining('is a MariaDB')]);
    writeFileSync(join(folder, 'habeas.yaml'), config('      row_security: true\n'));
    expect(await habeas('plan')).toMatchObject({
      exit: 1,
      notes: expect.stringContaining('MariaDB has no row security'),
    });
    await apply();
    await house.sync();
  });

  it('finds people by their key, and not by reading all that they said for each row', async () => {
    for (const table of Object.keys(PERSON_OF))
      for (const { code } of PURPOSES) {
        const { rows } = await house.server.run(`explain select * from purpose_${code}.\`${table}\``);
        const ways = rows.filter((row) => row.table === 's' || row.table === 'n').map((row) => row.type);
        expect(ways.length).toBeGreaterThan(0);
        expect(ways.filter((way) => way !== 'eq_ref' && way !== 'const')).toEqual([]);
      }
  });
});
