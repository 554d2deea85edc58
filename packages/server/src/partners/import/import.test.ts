import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PartnerWorld, startPartnerWorld } from '../../../test/partner-world.ts';
import { runHabeas } from '../../../test/run-habeas.ts';

let world: PartnerWorld;
beforeAll(async () => {
  world = await startPartnerWorld({ policy: 'erasure: { wait: 1d }' });
});
afterAll(() => world[Symbol.asyncDispose]());

interface Row {
  readonly line: number;
  readonly outcome: string;
  readonly id: string | null;
  readonly code: string | null;
  readonly message: string | null;
}

async function post(
  text: string | Uint8Array,
  query: Readonly<Record<string, string>> = {},
  type = 'text/csv',
) {
  const url = new URL(
    `/api/v1/requests:import?${new URLSearchParams({ name: 'list', ...query })}`,
    world.url,
  );
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.key}`, 'content-type': type },
    body: text,
  });
  const body = (await answer.json()) as {
    rows: Row[];
    unread_from: number | null;
    code?: string;
    detail?: string;
  };
  return { status: answer.status, ...body };
}

async function requestsMade(): Promise<number> {
  return (await world.state.pool.query('select count(*)::int as n from habeas.requests')).rows[0].n;
}

describe('POST /api/v1/requests:import', () => {
  it('makes a request of each row that can be used, and answers for every row', async () => {
    const answer = await post(
      'right,email,customer_id,reference\nerasure,nobody-1@example.com,,\n,x@example.com,,\naccess,=evil(),,\naccess,,2,case-1\nshort\n',
    );
    expect(answer.status).toBe(200);
    expect(answer.rows.map(({ line, outcome, code }) => [line, outcome, code])).toEqual([
      [2, 'made', null],
      [3, 'refused', 'BAD_INPUT'],
      [4, 'refused', 'BAD_INPUT'],
      [5, 'made', null],
      [6, 'refused', 'BAD_INPUT'],
    ]);
    expect(JSON.stringify(answer)).not.toMatch(/example\.com|evil/);
    const [first] = answer.rows;
    expect(await (await world.api('GET', `/api/v1/requests/${first?.id}`)).json()).toMatchObject({
      right: 'erasure',
      identity_types: ['email'],
    });
  });

  it('makes each row once, whatever is sent again, and anew under another name', async () => {
    const text = 'right,email\naccess,once@example.com\naccess,once@example.com\nerasure,once@example.com\n';
    const before = await requestsMade();
    const first = await post(text, { name: 'once' });
    expect(new Set(first.rows.map(({ id }) => id)).size).toBe(2);
    const again = await post(text, { name: 'once' });
    expect(again.rows.map(({ outcome }) => outcome)).toEqual(['existed', 'existed', 'existed']);
    expect(again.rows.map(({ id }) => id)).toEqual(first.rows.map(({ id }) => id));
    expect(await requestsMade()).toBe(before + 2);
    await post(text, { name: 'twice' });
    expect(await requestsMade()).toBe(before + 4);
  });

  it('knows a row by its reference, and refuses another row under it', async () => {
    const row = (email: string) =>
      post(`right,email,reference\naccess,${email},r-1\n`, { name: 'references' });
    expect((await row('first@example.com')).rows[0]?.outcome).toBe('made');
    expect((await row('other@example.com')).rows[0]).toMatchObject({
      outcome: 'refused',
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  it('makes nothing in a dry run', async () => {
    const before = await requestsMade();
    const answer = await post('right,email\naccess,dry@example.com\nwhat,dry@example.com\n', {
      dry_run: 'true',
    });
    expect(answer.rows.map(({ outcome, id }) => [outcome, id])).toEqual([
      ['checked', null],
      ['refused', null],
    ]);
    expect(await requestsMade()).toBe(before);
  });

  it.each([
    ['a column that is misspelt', 'right,emial\naccess,a@x.org\n', 400],
    ['another encoding', Buffer.from('right,email\naccess,jos\u00e9@x.org\n', 'latin1'), 400],
    ['nothing', '', 400],
    ['more rows than a piece has', `right,email\n${'access,a@x.org\n'.repeat(2_001)}`, 413],
    ['more bytes than a piece has', `right,email\n${`access,${'a'.repeat(60_000)}@x.org\n`.repeat(20)}`, 413],
  ])('refuses %s as a whole, and makes nothing', async (_, text, status) => {
    const before = await requestsMade();
    const answer = await post(text);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer)).not.toContain('x.org');
    expect(await requestsMade()).toBe(before);
  });

  it('takes text/csv alone, which no page of another site can send without asking', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json']) {
      expect([type, (await post('right,email\naccess,a@x.org\n', {}, type)).status]).toEqual([type, 400]);
    }
  });
});

describe('habeas request import', () => {
  const run = (...argv: readonly string[]) =>
    runHabeas(['request', 'import', ...argv], {
      folder: world.folder,
      environment: { HABEAS_URL: world.url, HABEAS_API_KEY: world.key },
    });

  it('sends a list in pieces, tells of refused rows by their line, and goes on where it stopped', async () => {
    const rows = Array.from({ length: 703 }, (_, index) =>
      index === 600 ? 'erasure,=bad()' : `erasure,person-${index}@example.com`,
    );
    writeFileSync(join(world.folder, 'people.csv'), `right,email\r\n${rows.join('\r\n')}\r\n`);
    const before = await requestsMade();
    // As if the first run had been killed after its first piece.
    await post(`right,email\n${rows.slice(0, 500).join('\n')}\n`, { name: 'people.csv' });
    const ran = await run('people.csv', '--report', 'report.csv');
    expect([ran.exit, ran.out]).toEqual([
      1,
      expect.stringContaining('202 requests made, 500 existed, 1 rows refused.'),
    ]);
    expect(ran.out).toContain('line 602: email looks like a formula');
    expect(await requestsMade()).toBe(before + 702);
    const report = readFileSync(join(world.folder, 'report.csv'), 'utf8').trimEnd().split('\r\n');
    expect(report).toHaveLength(704);
    expect(report[1]).toMatch(/^2,existed,req_/);
    expect(report.join()).not.toContain('@example.com');
    const again = await run('people.csv', '--json');
    const outcomes = again.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).outcome);
    expect([outcomes.length, outcomes.filter((outcome) => outcome === 'existed').length]).toEqual([703, 702]);
  });

  it('looks at 100,000 rows in bounded memory, with the last line as sure as the first', async () => {
    const file = join(world.folder, 'many.csv');
    writeFileSync(
      file,
      `right;email\n${'erasure;a-person-with-a-name@example.com\n'.repeat(99_999)}erasure;@bad\n`,
    );
    const before = process.memoryUsage().rss;
    const ran = await run('many.csv', '--dry-run');
    expect([ran.exit, ran.out]).toEqual([
      1,
      'line 100001: email looks like a formula (BAD_INPUT)\n99999 rows can be taken, 1 cannot.\n',
    ]);
    // Server and command are in this process; all rows as objects would take more.
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });

  it('says from where on a list could not be read', async () => {
    writeFileSync(
      join(world.folder, 'stray.csv'),
      'right,email\nerasure,fine@example.com\nerasure,a "quote"\nerasure,lost@example.com\n',
    );
    const ran = await run('stray.csv');
    expect([ran.exit, ran.out]).toEqual([1, expect.stringContaining('From line 3 on nothing was read')]);
  });
});
