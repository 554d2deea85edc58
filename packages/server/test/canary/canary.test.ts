import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { api } from '@habeas/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import type { CanaryStore, Contents } from './canary-store.ts';
import { type CanaryCompany, openCanaryCompany } from './company.ts';
import { createMarkFinder } from './find-marks.ts';
import { type MarkedPerson, makePeople } from './people.ts';
import { unexplained } from './unexplained.ts';
import { marksIn } from './volumes.ts';

const PEOPLE = makePeople(200);
/** Every tenth. */
const ERASED: ReadonlySet<MarkedPerson> = new Set(PEOPLE.filter(({ number }) => number % 10 === 3));
const find = createMarkFinder(PEOPLE);
const erasedIn = (text: string) => find(Buffer.from(text, 'latin1')).some(({ person }) => ERASED.has(person));

let company: CanaryCompany;
let before: ReadonlyMap<CanaryStore, Contents>;
let after: ReadonlyMap<CanaryStore, Contents>;
const receipts = new Map<MarkedPerson, api.ReceiptView['receipt']>();

beforeAll(async () => {
  company = await openCanaryCompany(PEOPLE);
  const { api } = company;
  before = await contentsOf(company);
  const requests = await Promise.all(
    [...ERASED].map(async (person) => {
      const identities = [{ type: 'email', value: person.email }];
      return { person, id: (await api.ask({ right: 'erasure', identities })).id };
    }),
  );
  await eventually('everybody is erased', allEnded, 240);
  for (const { person, id } of requests)
    receipts.set(person, (await api.get<api.ReceiptView>(`/api/v1/requests/${id}/receipt`)).receipt);
  after = await contentsOf(company);
});

afterAll(() => company?.[Symbol.asyncDispose]());

/** One question for all, twice a second: so many requests that are each looked at all the time are work of their own. */
async function allEnded(): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { items } = await company.api.get<{ items: api.RequestView[] }>('/api/v1/requests?limit=100');
  const blocked = items.filter(({ state }) => state === 'blocked');
  for (const { id } of blocked)
    throw new Error(JSON.stringify((await company.api.tasks(id)).flatMap(({ error }) => error ?? [])));
  return items.length === ERASED.size && items.every(({ state }) => state === 'completed');
}

async function contentsOf({ stores }: CanaryCompany): Promise<ReadonlyMap<CanaryStore, Contents>> {
  return new Map(await Promise.all(stores.map(async (store) => [store, await store.contents()] as const)));
}

describe('200 people with a mark of their own in every place, of whom 20 are erased at once', () => {
  test('every store has something of everybody before', () => {
    for (const store of company.stores) {
      const all = [...(before.get(store) ?? [])].flat().join('\n');
      const there = new Set(find(Buffer.from(all, 'latin1')).map(({ person }) => person));
      expect(there.size, store.key).toBe(PEOPLE.length);
    }
  });

  test('what other programs read of the others is the same, byte by byte, and nothing of the erased is there', () => {
    for (const store of company.stores) {
      const stays = [...(before.get(store) ?? [])].filter((entry) => !entry.some(erasedIn));
      expect([...(after.get(store) ?? [])].sort(), store.key).toEqual(stays.sort());
    }
  });

  test('every system was read again, and every copy that is left has an end', () => {
    for (const { systems, residuals } of receipts.values()) {
      expect(systems.map(({ system, assurance }) => [system, assurance])).toEqual(
        expect.arrayContaining(company.stores.map(({ key }) => [key, 'verified'])),
      );
      const endless = residuals.filter(({ until }) => until === null);
      expect(endless).toEqual([]);
    }
  });

  test('when everything is stopped, a mark of the erased lies only where a receipt says so, and ours has none', async () => {
    const ours = await company.stopServer();
    const [{ request_id: id = '' } = {}] = receipts.values();
    expect(filesWith(ours, id), 'the database of Habeas').not.toEqual([]);
    expect((await marksIn(ours, find)).map(({ path, form }) => `${path}: ${form}`)).toEqual([]);
    const printed = company.printed();
    expect(printed.includes('"answered"')).toBe(true);
    expect(find(Buffer.from(printed))).toEqual([]);
    const left: Record<string, readonly string[]> = {};
    for (const { key, copies, stop } of company.stores) {
      const marks = await marksIn(await stop(), find);
      const there = new Set(marks.map(({ person }) => person));
      expect(
        PEOPLE.filter((person) => !ERASED.has(person) && !there.has(person)),
        key,
      ).toEqual([]);
      const residualsOf = (person: MarkedPerson) =>
        receipts.get(person)?.residuals.filter(({ system }) => system === key) ?? [];
      left[key] = unexplained(
        marks.filter(({ person }) => ERASED.has(person)),
        { copies, residualsOf },
      );
    }
    expect(left).toEqual(Object.fromEntries(company.stores.map(({ key }) => [key, []])));
  });
});

function filesWith(folder: string, text: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return files.filter((file) => readFileSync(file).includes(text));
}
