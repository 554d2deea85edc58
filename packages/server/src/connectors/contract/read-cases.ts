import type { Identity } from '../../catalog/index.ts';
import { must, Skip } from '../conformance/index.ts';
import type { ContractCase } from './contract-case.ts';
import { countsOf, inWords, mustEqual, sum } from './contract-kit.ts';

const UNKNOWN: readonly Identity[] = [
  { type: 'email', value: 'nobody@contract.invalid' },
  { type: 'email', value: `'; drop table customers; --"\n\\` },
  { type: 'email', value: '%' },
  { type: 'email', value: '../../*' },
  { type: 'user_id', value: '99999999999999999999999999' },
  { type: 'no_such_type', value: 'x' },
];

const MOST_SAMPLED = 3;
const MOST_KEYS = 1_000;

/** What holds as long as nothing is erased. */
export const readCases: readonly ContractCase[] = [
  {
    name: 'check',
    rule: 'The store is reached, and what the datasets name is there.',
    erases: false,
    async run({ connector }) {
      const { ok, message, problems } = await connector.check();
      must(ok && problems.length === 0, [message, ...problems].join(' '));
    },
  },
  {
    name: 'discover',
    rule: 'Discovery tells every collection once, with its fields.',
    erases: false,
    async run({ connector, signal }) {
      if (!connector.capabilities.has('discover') || connector.discover === undefined)
        throw new Skip('The connector does not offer discovery.');
      const names = new Set<string>();
      for await (const { name, fields } of connector.discover(signal)) {
        must(!names.has(name), 'Discovery tells a collection twice.');
        must(fields.length > 0, 'Discovery tells a collection without fields.');
        names.add(name);
      }
      must(names.size > 0, 'Discovery tells no collection.');
    },
  },
  {
    name: 'sample',
    rule: 'A sample of a collection has at most as many rows as were asked for.',
    erases: false,
    async run({ connector, signal }) {
      if (connector.sample === undefined || connector.discover === undefined)
        throw new Skip('The connector does not offer samples.');
      let rows = 0;
      for await (const { name } of connector.discover(signal)) {
        const sample = await Array.fromAsync(connector.sample(name, MOST_SAMPLED, signal));
        must(sample.length <= MOST_SAMPLED, `A sample of ${MOST_SAMPLED} has ${sample.length} rows.`);
        rows += sample.length;
      }
      must(rows > 0, 'No collection gives a sample, although the store has data.');
    },
  },
  {
    name: 'nobody-known',
    rule: 'People whom nobody knows match nothing, change nothing and are no error.',
    erases: false,
    async run(kit) {
      const before = await kit.snapshot();
      const scope = await kit.locate(UNKNOWN);
      must(
        (await Array.fromAsync(scope.keys())).length === 0,
        'Keys were found for people who do not exist.',
      );
      const { items, evidence } = await kit.collect(UNKNOWN);
      must(items.length === 0 && !evidence.matched, 'Data was collected of people who do not exist.');
      must(sum(evidence.counts) === 0, 'Items were counted for people who do not exist.');
      const erased = await kit.erase(scope);
      must(!erased.matched && sum(erased.counts) === 0, 'People who do not exist were erased.');
      must((await kit.remaining(scope)) === 0, 'Verify finds people who do not exist.');
      mustEqual(await kit.snapshot(), before, 'Looking for people who do not exist changed the store.');
    },
  },
  {
    name: 'resolve',
    rule: 'Further identities are other ones than those that were asked with, and nothing is changed.',
    erases: false,
    async run(kit) {
      if (kit.connector.resolve === undefined) throw new Skip('The connector tells no identities.');
      const before = await kit.snapshot();
      const asked = await kit.connector.resolve(kit.scope(kit.person));
      const given = new Set(kit.person.map(({ type, value }) => JSON.stringify([type, value])));
      const told = asked.map(({ type, value }) => JSON.stringify([type, value]));
      must(!told.some((one) => given.has(one)), 'Resolve tells an identity that it was asked with.');
      must(new Set(told).size === told.length, 'Resolve tells an identity twice.');
      mustEqual(
        await kit.connector.resolve(kit.scope(UNKNOWN)),
        [],
        'Resolve knows people who do not exist.',
      );
      mustEqual(await kit.snapshot(), before, 'Resolving changed the store.');
    },
  },
  {
    name: 'collect',
    rule: 'An access ends with what it counted, and changes nothing.',
    erases: false,
    async run(kit) {
      const before = await kit.snapshot();
      const { items, evidence } = await kit.collect(kit.person);
      must(evidence.matched && items.length > 0, 'Nothing was collected of the test person.');
      const got = countsOf(items);
      mustEqual(evidence.counts, got, `Counted ${inWords(evidence.counts)}, but gave ${inWords(got)}.`);
      mustEqual(await kit.snapshot(), before, 'An access changed the store.');
    },
  },
  {
    name: 'collect-left-early',
    rule: 'A collection that is left early can be made again.',
    erases: false,
    async run(kit) {
      for await (const step of kit.connector.collect(kit.scope(kit.person))) {
        if (step.state === 'pending') throw new Skip('The store answers later.');
        must(step.state !== 'done', 'Nothing was collected of the test person.');
        break;
      }
      must((await kit.collect(kit.person)).items.length > 0, 'The second collection gives nothing.');
    },
  },
  {
    name: 'falsy-ids',
    rule: 'An id that is `0` or an empty text is an id: it finds its person, and nobody else.',
    erases: false,
    async run(kit) {
      if (kit.falsy.length === 0) throw new Skip('The store has no person with such an id.');
      const others = (await kit.collect(kit.other)).items;
      for (const person of kit.falsy) {
        const { items } = await kit.collect(person);
        must(items.length > 0, 'A person whose id is `0` or empty is not found.');
        for (const item of items) {
          const isOthers = others.some((one) => JSON.stringify(one) === JSON.stringify(item));
          must(!isOthers, 'The data of another person was collected by an id that is `0` or empty.');
        }
      }
    },
  },
  {
    name: 'batches',
    rule: `Batches of keys have 1 to ${MOST_KEYS} keys and name their columns.`,
    erases: false,
    async run(kit) {
      if (kit.connector.locate === undefined) throw new Skip('The connector finds no keys by itself.');
      let keys = 0;
      for await (const batch of kit.connector.locate(kit.scope(kit.person))) {
        must(batch.count > 0 && batch.count <= MOST_KEYS, `A batch has ${batch.count} keys.`);
        must(batch.columns.length > 0, 'A batch does not name its columns.');
        keys += batch.count;
      }
      must(keys > 0, 'No keys were found for the test person.');
    },
  },
  {
    name: 'aborted-before',
    rule: 'Work that was aborted before it began fails, and does nothing.',
    erases: false,
    async run(kit) {
      const { connector } = kit;
      const before = await kit.snapshot();
      const scope = { ...(await kit.locate(kit.person)), signal: AbortSignal.abort() };
      await mustFail('erase', () => connector.erase(scope, 'erase'));
      await mustFail('verify', () => connector.verify(scope));
      await mustFail('collect', () => Array.fromAsync(connector.collect(scope)));
      const { locate, resolve } = connector;
      if (locate !== undefined)
        await mustFail('locate', () => Array.fromAsync(locate.call(connector, scope)));
      if (resolve !== undefined) await mustFail('resolve', () => resolve.call(connector, scope));
      mustEqual(await kit.snapshot(), before, 'Work that was aborted changed the store.');
    },
  },
  {
    name: 'dry-run',
    rule: 'A dry run counts and changes nothing.',
    erases: false,
    async run(kit) {
      const before = await kit.snapshot();
      const scope = await kit.locate(kit.person);
      const dry = await kit.erase(scope, 'dry-run');
      must(sum(dry.counts) > 0, 'A dry run counts nothing, although the test person is there.');
      must((await kit.remaining(scope)) > 0, 'After a dry run nothing can be read any more.');
      mustEqual(await kit.snapshot(), before, 'A dry run changed the store.');
    },
  },
];

async function mustFail(what: string, act: () => Promise<unknown>): Promise<void> {
  let failed = false;
  try {
    await act();
  } catch {
    failed = true;
  }
  must(failed, `Aborted before it began, ${what} did not fail.`);
}
