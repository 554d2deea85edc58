import { setImmediate as nextTurn } from 'node:timers/promises';
import { must, Skip } from '../conformance/index.ts';
import type { Effect, Evidence, LocatedScope } from '../connector.ts';
import type { ContractCase } from './contract-case.ts';
import { inWords, mustEqual, sum } from './contract-kit.ts';

/** After how many turns of the event loop the work is aborted. */
const ABORTS = [0, 1, 2, 4, 8, 16, 32, 64] as const;

/** A test person is erased in each; the first is the one that says most. */
export const eraseCases: readonly ContractCase[] = [
  {
    name: 'erase',
    rule: 'An erasure does what its dry run counted; afterwards nothing is collected, located or readable, and others have what they had.',
    erases: true,
    async run(kit) {
      const { person, other } = kit;
      const others = (await kit.collect(other)).items;
      must(others.length > 0, 'Nothing was collected of the person who stays.');
      const scope = await kit.locate(person);
      must((await kit.remaining(scope)) > 0, 'Verify finds nothing, although nothing was erased yet.');
      must((await kit.remaining(kit.scope(person))) > 0, 'Verify finds nothing without the stored keys.');
      const dry = await kit.erase({ ...scope, idempotencyKey: `${scope.idempotencyKey}-dry` }, 'dry-run');
      const { counts, matched } = await kit.erase(scope);
      must(matched && sum(counts) > 0, 'The erasure counts nothing.');
      mustEqual(counts, dry.counts, `Erased ${inWords(counts)}; the dry run counted ${inWords(dry.counts)}.`);
      must((await kit.remaining(scope)) === 0, 'Verify still finds data.');
      const { items } = await kit.collect(person);
      must(items.length === 0, `${items.length} items are still collected.`);
      const again = await Array.fromAsync((await kit.locate(person)).keys());
      must(again.length === 0, 'Keys are still found.');
      mustEqual((await kit.collect(other)).items, others, 'Another person has other data than before.');
    },
  },
  {
    name: 'erase-again',
    rule: 'A second erasure with the same keys changes nothing.',
    erases: true,
    async run(kit) {
      const scope = await kit.locate(kit.person);
      const first = await kit.erase(scope);
      const after = await kit.snapshot();
      const second = await kit.erase(scope);
      // A service answers with the operation that the key has already; a store counts what it does now.
      if (sum(second.counts) > 0)
        mustEqual(second.counts, first.counts, `The second erasure erased ${inWords(second.counts)}.`);
      const fresh = await kit.erase({ ...scope, idempotencyKey: `${scope.idempotencyKey}-again` });
      must(sum(fresh.counts) === 0, `An erasure under another key erased ${inWords(fresh.counts)} more.`);
      mustEqual(await kit.snapshot(), after, 'The second erasure changed the store.');
    },
  },
  {
    name: 'lost-answer',
    rule: 'A retry after an answer that was lost tells what the answer told: counts, what became of it, what stays and which copies are left.',
    erases: true,
    async run(kit) {
      const scope = await kit.locate(kit.person);
      const first = await kit.erase(scope);
      const after = await kit.snapshot();
      const second = await kit.erase({ ...scope, retried: true, unanswered: true });
      mustEqual(
        second.counts,
        first.counts,
        `The lost answer told of ${inWords(first.counts)}, and the retry of ${inWords(second.counts)}.`,
      );
      must(second.matched === first.matched, 'The retry does not say whether the person was known.');
      mustEqual(second.effects, first.effects, 'The retry tells of other effects than the lost answer.');
      mustEqual(second.retained, first.retained, 'The retry tells that other things stay.');
      mustEqual(copiesOf(second), copiesOf(first), 'The retry tells of other copies than the lost answer.');
      mustEqual(await kit.snapshot(), after, 'The retry changed the store.');
    },
  },
  {
    name: 'keys-first',
    rule: 'Erasing acts on the keys that were stored before, and on nothing else: without them it changes nothing, with them it needs nothing more.',
    erases: true,
    async run(kit) {
      if (kit.connector.locate === undefined) throw new Skip('The connector finds no keys by itself.');
      const before = await kit.snapshot();
      const { counts } = await kit.erase(kit.scope(kit.person));
      must(sum(counts) === 0, `Without stored keys ${inWords(counts)} was erased.`);
      mustEqual(await kit.snapshot(), before, 'Without stored keys the store was changed.');
      const keys = await Array.fromAsync((await kit.locate(kit.person)).keys());
      const erased = await kit.erase(kit.scope([], keys));
      must(sum(erased.counts) > 0, 'With the stored keys alone nothing was erased.');
      must((await kit.remaining(kit.scope(kit.person, keys))) === 0, 'Verify still finds data.');
    },
  },
  {
    name: 'keys-twice',
    rule: 'Keys that two searches stored are erased once.',
    erases: true,
    async run(kit) {
      if (kit.connector.locate === undefined) throw new Skip('The connector finds no keys by itself.');
      const keys = await Array.fromAsync((await kit.locate(kit.person)).keys());
      const once = await kit.erase(kit.scope(kit.person, keys), 'dry-run');
      const scope = kit.scope(kit.person, [...keys, ...keys]);
      const { counts } = await kit.erase(scope);
      mustEqual(counts, once.counts, `Keys that were stored twice erased ${inWords(counts)}.`);
      must((await kit.remaining(scope)) === 0, 'Verify still finds data.');
    },
  },
  {
    name: 'falsy-erased',
    rule: 'A person whose id is `0` or an empty text is erased, and nobody else.',
    erases: true,
    async run(kit) {
      if (kit.falsy.length === 0) throw new Skip('The store has no person with such an id.');
      const others = (await kit.collect(kit.other)).items;
      for (const person of kit.falsy) {
        const scope = await kit.locate(person);
        must(sum((await kit.erase(scope)).counts) > 0, 'A person whose id is `0` or empty is not erased.');
        must((await kit.remaining(scope)) === 0, 'Verify still finds a person whose id is `0` or empty.');
      }
      mustEqual((await kit.collect(kit.other)).items, others, 'Another person was touched.');
    },
  },
  {
    name: 'abort-and-retry',
    rule: 'An erasure that is aborted at any point fails or is done, and a retry ends in the state of one that was not aborted.',
    erases: true,
    async run(kit) {
      const keys = await Array.fromAsync((await kit.locate(kit.person)).keys());
      for (const turns of ABORTS) {
        const controller = new AbortController();
        const scope = { ...kit.scope(kit.person, keys), signal: controller.signal };
        const erasing = kit.connector.erase(scope, 'erase').then(
          () => 'done',
          () => 'failed',
        );
        for (let turn = 0; turn < turns; turn += 1) await nextTurn();
        controller.abort();
        await erasing;
      }
      const scope = kit.scope(kit.person, keys);
      await kit.erase(scope);
      must(
        (await kit.remaining(scope)) === 0,
        'After aborted erasures and a retry, verify still finds data.',
      );
      const after = await kit.snapshot();
      await kit.erase(scope);
      mustEqual(await kit.snapshot(), after, 'After a retry another erasure still changes the store.');
    },
  },
  {
    name: 'abort-among-keys',
    rule: 'An erasure that is aborted while it reads its keys fails, and a retry ends well.',
    erases: true,
    async run(kit) {
      if (kit.connector.locate === undefined) throw new Skip('The connector finds no keys by itself.');
      const keys = await Array.fromAsync((await kit.locate(kit.person)).keys());
      const controller = new AbortController();
      const scope: LocatedScope = {
        ...kit.scope(kit.person, keys),
        signal: controller.signal,
        async *keys() {
          yield* keys;
          controller.abort();
        },
      };
      const ended = await kit.connector.erase(scope, 'erase').then(
        () => true,
        () => false,
      );
      must(!ended, 'An erasure that was aborted says that it was done.');
      const retry = kit.scope(kit.person, keys);
      await kit.erase(retry);
      must((await kit.remaining(retry)) === 0, 'After a retry verify still finds data.');
    },
  },
  {
    name: 'evidence',
    rule: 'An erasure tells of every collection that it changed what became of it, a dry run tells the same as found, and copies end on a date or on none that is known.',
    erases: true,
    async run(kit) {
      const scope = await kit.locate(kit.person);
      const dry = await kit.erase({ ...scope, idempotencyKey: `${scope.idempotencyKey}-dry` }, 'dry-run');
      const { counts, effects, residuals } = await kit.erase(scope);
      if (effects === undefined) throw new Skip('The connector tells counts alone.');
      const { remaining } = await kit.connector.verify(scope);
      for (const [name, count] of Object.entries(counts)) {
        const effect = effects[name];
        must(
          effect !== undefined || count === 0,
          `Of ${name} ${count} are counted, and what became of them is not told.`,
        );
        if (effect !== undefined) checkEffect(name, count, effect);
        const wasFound = dry.effects?.[name]?.found;
        must(
          wasFound === effect?.found,
          `Of ${name} the dry run found ${wasFound}, and the erasure ${effect?.found}.`,
        );
        must(remaining[name] === 0, `Verify does not say of ${name} that nothing is left.`);
      }
      for (const { what, until } of residuals) {
        must(what.trim() !== '', 'A copy is told without saying which.');
        must(
          until === null || !Number.isNaN(Date.parse(until)),
          `A copy ends on "${until}", which is no date.`,
        );
      }
    },
  },
];

/** Without the dates of their ends, which may be counted from the moment of each attempt. */
function copiesOf({ residuals }: Evidence) {
  return residuals.map(({ what, copy, until }) => ({ what, copy, ends: until !== null }));
}

function checkEffect(name: string, count: number, effect: Effect): void {
  const { found, erased, masked, hidden = 0, kept, level } = effect;
  must(
    erased + masked === count,
    `Of ${name} ${count} are counted, and ${erased} were erased and ${masked} masked.`,
  );
  const parts = { erased, masked, hidden, kept };
  for (const [what, number] of Object.entries(parts))
    must(number >= 0 && number <= found, `Of ${name} ${found} were found, and ${number} are ${what}.`);
  must(
    hidden === 0 || level === 'hidden',
    `Of ${name} ${hidden} are only marked, and the level is ${level}.`,
  );
}
