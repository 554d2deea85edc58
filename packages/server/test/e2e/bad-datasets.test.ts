import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type House, openHouse, SHOP_DATASET, shopWith } from './house.ts';
import { differences, readStores } from './stores.ts';
import { settled, statesOf } from './team.ts';

let house: House;

beforeAll(async () => {
  house = await openHouse({ people: 40 });
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

/** The shop's dataset with one text replaced, the configuration that names it, and the line of the change. */
function datasetWith(name: string, [from, to]: readonly [string, string]) {
  const text = readFileSync(SHOP_DATASET, 'utf8');
  if (!text.includes(from)) throw new Error(`The dataset has no ${from}.`);
  const changed = text.replace(from, to);
  writeFileSync(join(house.folder, `${name}.yml`), changed);
  const line = changed.slice(0, changed.indexOf(to)).split('\n').length;
  return { config: house.configure(`${name}.yaml`, shopWith({ datasets: [`${name}.yml`] })), line };
}

test('a table that the database does not have is named with its line, before anything is read or destroyed', async () => {
  const { config, line } = datasetWith('no-table', ['- name: payment_cards', '- name: payment_cardz']);
  const checked = await house.run(['check', '--config', config]);
  expect(checked.exit).toBe(1);
  const found = checked.out.split('\n').filter((one) => one.includes('(table-missing)'));
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(new RegExp(`^no-table\\.yml:${line}:\\d+: error: .*payment_cardz`));

  await using server = await house.serve(config);
  const { api } = server;
  const health = await api.post<{ ok: boolean; problems: string[] }>('/api/v1/connections/shop:check');
  expect(health.ok).toBe(false);
  expect(health.problems.join('\n')).toContain('payment_cardz');

  const before = await readStores(house);
  const identities = [{ type: 'email', value: house.acme.subject(5).email }];
  const erasure = await api.ask({ right: 'erasure', identities });
  const access = await api.ask({ right: 'access', identities });
  const tasks = await settled(api, erasure.id);
  expect(await settled(api, access.id)).not.toContainEqual(expect.objectContaining({ state: 'running' }));
  const blocked = tasks.filter(({ state }) => state === 'blocked');
  expect(blocked).toMatchObject([{ system: 'shop', attempts: 1, error: { code: 'SCHEMA_MISMATCH' } }]);
  expect(blocked[0]?.error?.message).toContain('payment_cardz');
  expect(statesOf(tasks)).toMatchObject({ 'erase:accounts': 'pending', 'erase:mailer': 'pending' });
  expect(differences(before, await readStores(house))).toEqual({});
});

test('a reference to nowhere stops the check and the server, with the line', async () => {
  const { config, line } = datasetWith('nowhere', ['field: addresses.id', 'field: palaces.id']);
  const checked = await house.run(['check', '--config', config]);
  expect(checked.exit).toBe(1);
  expect(checked.out).toMatch(new RegExp(`^nowhere\\.yml:${line}:\\d+: error: .*palaces.*$`, 'm'));
  const served = await house.run(['serve', '--config', config, '--port', '0']);
  expect(served.exit).toBe(1);
  expect(served.notes).toMatch(new RegExp(`error DATASET_INVALID: nowhere\\.yml:${line}:\\d+: .*palaces`));
});

test('a dataset file that is not there, that is no YAML, and a connection of an unknown kind are named', async () => {
  const missing = house.configure('missing.yaml', shopWith({ datasets: ['gone.yml'] }));
  writeFileSync(join(house.folder, 'torn.yml'), 'dataset:\n  - fides_key: [shop\n');
  const torn = house.configure('torn.yaml', shopWith({ datasets: ['torn.yml'] }));
  const kind = house.configure('kind.yaml', shopWith({ kind: 'oracle' }));
  const served = await Promise.all(
    [missing, torn, kind].map((config) => house.run(['serve', '--config', config, '--port', '0'])),
  );
  expect(served.map(({ exit }) => exit)).toEqual([1, 1, 1]);
  expect(served[0]?.notes).toMatch(/error DATASET_INVALID: .*gone\.yml/);
  expect(served[1]?.notes).toMatch(/error DATASET_INVALID: .*torn\.yml:\d+:\d+/);
  expect(served[2]?.notes).toMatch(/error CONFIG_INVALID: .*oracle.*postgres/);
});
