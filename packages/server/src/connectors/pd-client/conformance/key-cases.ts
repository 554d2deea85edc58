import { Code } from '@connectrpc/connect';
import { PDClient } from '@habeas/contract/pd';
import { must } from '../../conformance/index.ts';
import { nameOfCode } from './conformance-kit.ts';
import type { ServiceCase } from './service-case.ts';

const { get, delete: erase, verify, getOperation } = PDClient.method;

/** Same key, same operation; and calls that change nothing. */
export const keyCases: readonly ServiceCase[] = [
  {
    name: 'same-key-twice',
    rule: 'The same call with the same idempotency_key is the same operation.',
    erases: false,
    async run(kit) {
      const call = kit.person(kit.subject);
      const first = await kit.get(call);
      const second = await kit.get(call);
      must(first.operation.name !== '', 'The operation has no name.');
      must(
        first.operation.name === second.operation.name,
        'The second call has an operation of another name.',
      );
      must(
        first.records.length === second.records.length,
        'The second call gives another number of records.',
      );
      const other = await kit.get(kit.person(kit.subject));
      must(other.operation.name !== first.operation.name, 'Another key has the same operation.');
    },
  },
  {
    name: 'same-key-another-call',
    rule: 'A key that was used for another rpc, request, person or mode is refused with INVALID_ARGUMENT.',
    erases: false,
    async run(kit) {
      const call = kit.person(kit.unknownSubject, { dryRun: true });
      await kit.end((await kit.call(erase, call)).operation);
      const [first] = kit.unknownSubject;
      const others = [
        ['another rpc', kit.call(get, call)],
        ['another request', kit.call(erase, { ...call, requestId: `${call.requestId}-2` })],
        ['another mode', kit.call(erase, { ...call, dryRun: false })],
        [
          'another person',
          kit.call(erase, { ...call, identities: [{ type: first?.type ?? 'email', value: 'nobody' }] }),
        ],
      ] as const;
      const codes = await Promise.allSettled(others.map(([, pending]) => kit.refusal(pending)));
      for (const [index, [what]] of others.entries()) {
        const code = codes[index];
        if (code?.status !== 'fulfilled') throw code?.reason;
        must(
          code.value === Code.InvalidArgument,
          `The key with ${what}: expected INVALID_ARGUMENT, got ${nameOfCode(code.value)}.`,
        );
      }
    },
  },
  {
    name: 'dry-run-changes-nothing',
    rule: 'Delete with dry_run counts what would be erased and changes nothing.',
    erases: false,
    async run(kit) {
      const before = await kit.get(kit.person(kit.subject));
      const { reading } = await kit.end(
        (await kit.call(erase, kit.person(kit.subject, { dryRun: true }))).operation,
      );
      must(reading.matched, 'Delete (dry run) says that it knows nobody, but Get gave records.');
      const after = await kit.get(kit.person(kit.subject));
      must(
        after.records.length === before.records.length,
        `Get gave ${before.records.length} records before the dry run and ${after.records.length} after it.`,
      );
      const asked = kit.call(verify, kit.person(kit.subject));
      if ((await kit.refusal(asked)) === Code.Unimplemented) return;
      const held = await kit.end((await asked).operation);
      must(held.reading.matched, 'Verify holds nothing after a dry run.');
    },
  },
  {
    name: 'get-dry-run-gives-no-records',
    rule: 'Get with dry_run counts, and gives no records.',
    erases: false,
    async run(kit) {
      const { reading, records } = await kit.get(kit.person(kit.subject, { dryRun: true }));
      must(records.length === 0, 'Get (dry run) gives records.');
      must(reading.matched, 'Get (dry run) says that it knows nobody.');
    },
  },
  {
    name: 'unknown-operation',
    rule: 'GetOperation of a name that the service does not know is NOT_FOUND.',
    erases: false,
    async run(kit) {
      const code = await kit.refusal(kit.call(getOperation, { name: 'no-such-operation' }));
      const fits = code === Code.NotFound || code === Code.Unimplemented;
      must(fits, `Expected NOT_FOUND, got ${nameOfCode(code)}.`);
    },
  },
  {
    name: 'deadline',
    rule: 'A call that its deadline cut can be made again with the same key, and is one operation.',
    erases: false,
    async run(kit) {
      const call = kit.person(kit.unknownSubject);
      const cut = await kit.refusal(kit.call(erase, call, { timeout: 1 }));
      const fits = cut === undefined || cut === Code.DeadlineExceeded || cut === Code.Canceled;
      must(
        fits,
        `A call with a deadline of one millisecond: expected DEADLINE_EXCEEDED, got ${nameOfCode(cut)}.`,
      );
      const again = await kit.end((await kit.call(erase, call)).operation);
      const third = await kit.end((await kit.call(erase, call)).operation);
      must(again.operation.name === third.operation.name, 'After the cut the key has two operations.');
      must(!again.reading.matched, 'After the cut an unknown person is known.');
    },
  },
];
