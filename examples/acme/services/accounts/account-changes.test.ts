import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PersonalDataCall } from '@habeas/sdk';
import { expect, it, onTestFinished } from 'vitest';
import { people } from '../../people.ts';
import { openAccounts } from './accounts-store.ts';

const [ada, bob] = [...people(2)];

function open() {
  const folder = mkdtempSync(join(tmpdir(), 'acme-accounts-'));
  const store = openAccounts({ file: join(folder, 'accounts.sqlite'), people: 2 });
  onTestFinished(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  const identities = [{ type: 'user_id', value: ada?.userId ?? '' }];
  const call = (idempotencyKey: string): PersonalDataCall => ({
    requestId: 'req_1',
    idempotencyKey,
    identities,
    values: () => [],
    portability: false,
    dueTime: undefined,
    signal: new AbortController().signal,
    later: () => {
      throw new Error('not here');
    },
  });
  const rows = (who = ada) => store.recordsOf([{ type: 'user_id', value: who?.userId ?? '' }]);
  return { store, call, rows };
}

it('an account is corrected once, and a value that does not fit changes nothing', () => {
  const { store, call, rows } = open();
  const others = rows(bob);
  const { rectify } = store.changes;
  const good = { ...call('k1'), changes: [{ target: 'user.name', to: 'Ada Lovelace' }] };
  const bad = {
    ...call('k2'),
    changes: [...good.changes, { target: 'user.contact.email', to: bob?.email ?? '' }],
  };
  expect(() => rectify.check(bad)).toThrow('another account');
  expect(rectify.check(good)).toEqual({ counts: { accounts: 1 } });
  for (let time = 0; time < 2; time += 1) expect(rectify.change(good)).toEqual({ counts: { accounts: 1 } });
  expect(() => rectify.change(bad)).toThrow('another account');
  expect(rectify.check(good)).toEqual({ counts: {} });
  expect(rows()[0]?.row).toMatchObject({ name: 'Ada Lovelace', email: ada?.email });
  expect(rows(bob)).toEqual(others);
});

it('choices are set, lifted, and go with the account', () => {
  const { store, call } = open();
  const { restrict, object } = store.changes;
  const choice = (key: string, lift: boolean) => ({ ...call(key), lift });
  const objection = {
    ...choice('o1', false),
    kind: 'objection' as const,
    purposes: ['analytics', 'marketing'],
  };
  expect(restrict.change(choice('r1', false))).toEqual({ counts: { choices: 1 } });
  expect(object.change(objection)).toEqual({ counts: { choices: 2 } });
  expect(object.check(objection)).toEqual({ counts: {} });
  expect(restrict.change(choice('r2', true))).toEqual({ counts: { choices: 1 } });
  expect(restrict.check(choice('r3', true))).toEqual({ counts: {} });
  store.erase(call('e1').identities, 'e1');
  expect(object.check({ ...objection, lift: true })).toEqual({ counts: {} });
});
