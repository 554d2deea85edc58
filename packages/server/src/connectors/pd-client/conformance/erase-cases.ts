import { Code } from '@connectrpc/connect';
import { PDClient } from '@habeas/contract/pd';
import { must, Skip } from '../../conformance/index.ts';
import type { ConformanceKit } from './conformance-kit.ts';
import type { ServiceCase } from './service-case.ts';

const { delete: erase, verify, getOperation } = PDClient.method;
const AT_ONCE = 8;

function erasure(kit: ConformanceKit) {
  if (kit.erasure === undefined)
    throw new Skip('The test person was not erased: same-key-at-once did not pass.');
  return kit.erasure;
}

/** The test person is erased, and stays erased. In this order. */
export const eraseCases: readonly ServiceCase[] = [
  {
    name: 'same-key-at-once',
    rule: 'Calls with one idempotency_key that come at the same time are one operation and have one effect.',
    erases: true,
    async run(kit) {
      const call = kit.person(kit.subject);
      // Signed before, so that the calls leave in the same instant.
      const claims = { audience: kit.service, requestId: call.requestId, method: erase.name };
      const tokens = await Promise.all(Array.from({ length: AT_ONCE }, () => kit.signToken(claims)));
      const answers = await Promise.all(
        tokens.map((token) => kit.call(erase, call, { authorization: `Bearer ${token}` })),
      );
      const names = new Set(answers.map(({ operation }) => operation?.name ?? ''));
      const ends = await Promise.all(answers.map(({ operation }) => kit.end(operation)));
      const [first] = ends;
      must(first !== undefined, 'There was no answer.');
      kit.erasure = { call, operation: first.operation, wasOne: false };
      must(names.size === 1, `${AT_ONCE} calls at once with one key are ${names.size} operations.`);
      must(first.reading.matched, 'Delete says that it knows nobody, but the test person was there.');
      const counts = new Set(
        ends.map(({ reading }) => JSON.stringify(Object.entries(reading.counts).sort())),
      );
      must(
        counts.size === 1,
        'Calls at once with one key give different counts, so the work was done more than once.',
      );
      kit.erasure = { call, operation: first.operation, wasOne: true };
    },
  },
  {
    name: 'same-key-after-the-end',
    rule: 'The key of an operation that has ended gives the same operation with the same result.',
    erases: true,
    async run(kit) {
      const { call, operation, wasOne } = erasure(kit);
      if (!wasOne) throw new Skip('The key has several operations: see same-key-at-once.');
      const again = await kit.end((await kit.call(erase, call)).operation);
      must(again.operation.name === operation.name, 'The key has another operation now.');
      must(again.operation.state === operation.state, 'The operation has another state now.');
      const counts = (one: typeof operation) => JSON.stringify(Object.entries(one.counts).sort());
      must(counts(again.operation) === counts(operation), 'The operation has other counts now.');
    },
  },
  {
    name: 'asynchronous-to-the-end',
    rule: 'GetOperation follows an operation from QUEUED to its end, and knows it afterwards.',
    erases: true,
    async run(kit) {
      const { operation } = erasure(kit);
      const asked = kit.call(getOperation, { name: operation.name });
      if ((await kit.refusal(asked)) === Code.Unimplemented) {
        throw new Skip('The service answers at once and does not offer GetOperation.');
      }
      const { operation: found } = await kit.end((await asked).operation);
      must(found.name === operation.name, 'GetOperation answers with another operation.');
      must(found.state === operation.state, 'GetOperation gives another state than Delete did.');
    },
  },
  {
    name: 'get-after-delete',
    rule: 'After Delete, Get gives nothing, but for what was retained.',
    erases: true,
    async run(kit) {
      const { operation } = erasure(kit);
      const kept = new Set(operation.retained.map(({ category }) => category));
      const { records, reading } = await kit.get(kit.person(kit.subject));
      for (const { category } of reading.retained.map(({ collection }) => ({ category: collection })))
        kept.add(category);
      const left = records.filter(({ collection }) => !kept.has(collection));
      must(left.length === 0, `Get still gives ${left.length} records that are not retained.`);
    },
  },
  {
    name: 'verify-after-delete',
    rule: 'After Delete, Verify says that nothing is held, but for what was retained.',
    erases: true,
    async run(kit) {
      erasure(kit);
      const asked = kit.call(verify, kit.person(kit.subject));
      if ((await kit.refusal(asked)) === Code.Unimplemented)
        throw new Skip('The service does not offer Verify.');
      const { reading } = await kit.end((await asked).operation);
      const held = Object.values(reading.counts).reduce((sum, count) => sum + count, 0);
      must(held === 0, `Verify still counts ${held}.`);
    },
  },
  {
    name: 'delete-again',
    rule: 'Delete of a person who was erased, under another key, finds nothing more to erase.',
    erases: true,
    async run(kit) {
      erasure(kit);
      const { reading } = await kit.end((await kit.call(erase, kit.person(kit.subject))).operation);
      const erased = Object.values(reading.counts).reduce((sum, count) => sum + count, 0);
      must(erased === 0, `Delete erased ${erased} more.`);
    },
  },
];
