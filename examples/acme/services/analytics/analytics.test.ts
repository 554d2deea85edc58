import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { person } from '../../people.ts';
import { collectEvents, removeEvents } from './event-files.ts';
import { answerTicket, parseTicket } from './forget.ts';
import { eventsFolder, seedEvents } from './seed.ts';

const PEOPLE = 50;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acme-analytics-'));
  await seedEvents({ folder, people: PEOPLE });
});

afterEach(() => rmSync(folder, { recursive: true }));

const identitiesOf = (n: number) => [{ type: 'user_id', value: person(n).userId }];

function linesOnDisk(): string[] {
  const files = readdirSync(eventsFolder(folder)).filter((name) => name.endsWith('.jsonl'));
  return files.flatMap((name) => readFileSync(join(eventsFolder(folder), name), 'latin1').split('\n'));
}

function hashOfEvents(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(eventsFolder(folder)).sort()) {
    hash.update(name).update(readFileSync(join(eventsFolder(folder), name)));
  }
  return hash.digest('hex');
}

describe('seedEvents', () => {
  it('leaves event files alone that it wrote before', async () => {
    await removeEvents({ folder, identities: identitiesOf(3) });
    const before = hashOfEvents();
    expect(await seedEvents({ folder, people: PEOPLE })).toBe('was there');
    expect(hashOfEvents()).toBe(before);
  });

  it('writes the same bytes again when a run ended half-way', async () => {
    const whole = hashOfEvents();
    rmSync(eventsFolder(folder), { recursive: true });
    mkdirSync(`${eventsFolder(folder)}.partial`);
    writeFileSync(join(`${eventsFolder(folder)}.partial`, '2026-01.jsonl'), '{"at":"2026-');
    expect(await seedEvents({ folder, people: PEOPLE })).toBe('seeded');
    expect(hashOfEvents()).toBe(whole);
  });

  it('begins anew for another number of people', async () => {
    expect(await seedEvents({ folder, people: 2 })).toBe('seeded');
    expect(linesOnDisk().some((line) => line.includes(person(2).userId))).toBe(false);
  });
});

describe('removeEvents', () => {
  it('removes the lines of one person and leaves every other byte as it was', async () => {
    const before = linesOnDisk();
    const [identity] = identitiesOf(7);
    const { lines } = await removeEvents({ folder, identities: identitiesOf(7) });
    expect(lines).toBeGreaterThan(0);
    expect(linesOnDisk()).toEqual(before.filter((line) => !line.includes(identity?.value ?? '')));
    expect(await collectEvents({ folder, identities: identitiesOf(7) })).toMatchObject({ lines: 0 });
  });

  it('keeps bytes that are no UTF-8, a last line without a line break, and longer user ids', async () => {
    const file = join(eventsFolder(folder), '2026-03.jsonl');
    const odd = Buffer.concat([
      Buffer.from('{"user_id":"usr_0000071"}\n'),
      Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
    ]);
    appendFileSync(file, odd);
    const { value } = identitiesOf(7)[0] ?? { value: '' };
    appendFileSync(file, `\n{"user_id":"${value}"}\n{"last":true}`);
    await removeEvents({ folder, identities: identitiesOf(7) });
    const after = readFileSync(file);
    expect(after.subarray(-odd.length - 14)).toEqual(Buffer.concat([odd, Buffer.from('\n{"last":true}')]));
  });

  it('says that a line which is no JSON names the person, and leaves it for a person to judge', async () => {
    const broken = `{"user_id":"${person(7).userId}", cut o`;
    appendFileSync(join(eventsFolder(folder), '2026-06.jsonl'), `${broken}\n`);
    expect(await removeEvents({ folder, identities: identitiesOf(7) })).toMatchObject({ unreadable: 1 });
    expect(linesOnDisk()).toContain(broken);
  });

  it('lets several people be removed at once without bringing one back', async () => {
    await Promise.all([1, 2, 3, 4, 5].map((n) => removeEvents({ folder, identities: identitiesOf(n) })));
    for (const n of [1, 2, 3, 4, 5]) {
      expect(await collectEvents({ folder, identities: identitiesOf(n) })).toMatchObject({ lines: 0 });
    }
    expect((await collectEvents({ folder, identities: identitiesOf(6) })).lines).toBeGreaterThan(0);
  });

  it('touches nothing for somebody unknown or for an e-mail address, which events do not hold', async () => {
    const before = hashOfEvents();
    const identities = [
      { type: 'user_id', value: 'usr_999999' },
      { type: 'email', value: person(7).email },
    ];
    expect(await removeEvents({ folder, identities })).toEqual({ files: 6, lines: 0, unreadable: 0 });
    expect(hashOfEvents()).toBe(before);
  });
});

describe('answering a ticket', () => {
  it('hands over the lines of the person for access', async () => {
    const out = join(folder, 'export.jsonl');
    const ticket = { id: 'tsk_1', right: 'access', identities: identitiesOf(9) } as const;
    const { lines } = await answerTicket(ticket, { folder, out });
    const exported = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(exported).toHaveLength(lines);
    expect(exported.every((line) => JSON.parse(line).user_id === person(9).userId)).toBe(true);
    expect(exported.toSorted()).toEqual(
      linesOnDisk()
        .filter((line) => line.includes(person(9).userId))
        .toSorted(),
    );
  });

  it('runs as a command that reads the ticket from standard input and prints the count', async () => {
    const held = await collectEvents({ folder, identities: identitiesOf(9) });
    const run = promisify(execFile)(process.execPath, [
      join(import.meta.dirname, 'forget.ts'),
      '--data',
      folder,
    ]);
    const ticket = { id: 'tsk_2', right: 'erasure', team: 'data', identities: identitiesOf(9) };
    run.child.stdin?.end(JSON.stringify(ticket));
    const { stdout } = await run;
    expect(JSON.parse(stdout)).toEqual(held);
    expect((await collectEvents({ folder, identities: identitiesOf(9) })).lines).toBe(0);
    const effects = readFileSync(join(folder, 'effects.jsonl'), 'utf8');
    expect(JSON.parse(effects)).toEqual({ key: 'tsk_2', kind: 'delete', count: held.lines });
  });

  it('says which part of a ticket is missing', () => {
    expect(() => parseTicket('{"right":"access"}')).toThrow('"id"');
    expect(() => parseTicket('{"id":"../x","right":"access","identities":[]}')).toThrow('"id"');
    expect(() => parseTicket('{"id":"a","right":"sell"}')).toThrow('"right"');
    expect(() => parseTicket('{"id":"a","right":"access","identities":[{"type":1}]}')).toThrow(
      '"identities"',
    );
  });
});
