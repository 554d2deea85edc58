import { Code } from '@connectrpc/connect';
import { ObjectRequest_Kind, PDClient } from '@habeas/contract/pd';
import { must, Skip } from '../../conformance/index.ts';
import type { ConformanceKit, Ended } from './conformance-kit.ts';
import type { ServiceCase } from './service-case.ts';

const { describe, rectify, restrict, object } = PDClient.method;

type Right = 'rectification' | 'restriction' | 'objection';

/** Skips where Describe does not name the right: it is then the team's own work. */
async function offered(kit: ConformanceKit, right: Right): Promise<void> {
  const asked = kit.call(describe, {});
  const rights = (await kit.refusal(asked)) === Code.Unimplemented ? [] : (await asked).rights;
  if (!rights.includes(right)) throw new Skip(`Describe does not name ${right} among its rights.`);
}

const total = ({ reading }: Ended): number =>
  Object.values(reading.counts).reduce((sum, count) => sum + count, 0);

/** Sets and lifts leave things as they were, so the test person is there for the cases that follow. */
async function setAndLift(
  kit: ConformanceKit,
  act: (options: {
    readonly lift: boolean;
    readonly dryRun: boolean;
    readonly key?: string;
  }) => Promise<Ended>,
): Promise<void> {
  const due = total(await act({ lift: false, dryRun: true }));
  must(due > 0, 'A dry run counts nothing, but the test person is there and nothing was set.');
  must(
    total(await act({ lift: false, dryRun: true })) === due,
    'A dry run changed something: another one counts differently.',
  );
  const { idempotencyKey: key } = kit.person(kit.subject);
  try {
    const first = await act({ lift: false, dryRun: false, key });
    must(total(first) > 0, 'It was set and counted nothing.');
    const again = await act({ lift: false, dryRun: false, key });
    must(again.operation.name === first.operation.name, 'The key has another operation the second time.');
    must(
      total(await act({ lift: false, dryRun: true })) === 0,
      'It was set, and a dry run still finds it is not.',
    );
  } finally {
    await act({ lift: true, dryRun: false });
  }
  must(
    total(await act({ lift: true, dryRun: true })) === 0,
    'It was lifted, and a dry run still finds it set.',
  );
  must(
    total(await act({ lift: false, dryRun: true })) === due,
    'After it was lifted not as much can be set as before.',
  );
}

/** The rights that a service may leave to its team. */
export const changeCases: readonly ServiceCase[] = [
  {
    name: 'rectify-refuses-what-it-cannot-change',
    rule: 'Rectify without changes is INVALID_ARGUMENT or finds nothing to change, and one about an unknown person is NO_MATCH.',
    erases: false,
    async run(kit) {
      await offered(kit, 'rectification');
      const none = kit.call(rectify, { ...kit.person(kit.subject), changes: [] });
      const refusal = await kit.refusal(none);
      must(
        refusal === Code.InvalidArgument ||
          (refusal === undefined && total(await kit.end((await none).operation)) === 0),
        'Rectify without changes changed something.',
      );
      const changes = [
        { target: 'user.name', to: { kind: { case: 'stringValue' as const, value: 'Habeas Test' } } },
      ];
      const unknown = await kit.end(
        (await kit.call(rectify, { ...kit.person(kit.unknownSubject), changes })).operation,
      );
      must(!unknown.reading.matched, 'Rectify of a person whom nobody is says that it changed something.');
    },
  },
  {
    name: 'rectify-dry-run-changes-nothing',
    rule: 'With dry_run Rectify checks and counts, and changes nothing.',
    erases: false,
    async run(kit) {
      await offered(kit, 'rectification');
      const before = await kit.get(kit.person(kit.subject));
      const { dataCategories } = await kit.call(describe, {});
      const changes = dataCategories.map((target) => ({
        target,
        to: { kind: { case: 'stringValue' as const, value: 'Habeas Test' } },
      }));
      const asked = await kit.call(rectify, { ...kit.person(kit.subject, { dryRun: true }), changes });
      // A text for a number or a date may well be refused: that is what the check is for.
      must(asked.operation !== undefined, 'Rectify answers without an operation.');
      const after = await kit.get(kit.person(kit.subject));
      const rows = ({ records }: typeof before) => JSON.stringify(records.map(({ row }) => row));
      must(rows(before) === rows(after), 'A dry run of Rectify changed what Get gives.');
    },
  },
  {
    name: 'restrict-sets-and-lifts',
    rule: 'Restrict sets once, a dry run then finds nothing more to set, and lifting makes it as it was.',
    erases: true,
    async run(kit) {
      await offered(kit, 'restriction');
      await setAndLift(kit, async ({ lift, dryRun, key }) => {
        const call = kit.person(kit.subject, {
          dryRun,
          ...(key === undefined ? {} : { idempotencyKey: key, requestId: 'req_restrict' }),
        });
        return kit.end((await kit.call(restrict, { ...call, lift })).operation);
      });
    },
  },
  {
    name: 'object-sets-and-lifts',
    rule: 'Object notes once, a dry run then finds nothing more to note, and taking it back makes it as it was.',
    erases: true,
    async run(kit) {
      await offered(kit, 'objection');
      await setAndLift(kit, async ({ lift, dryRun, key }) => {
        const call = kit.person(kit.subject, {
          dryRun,
          ...(key === undefined ? {} : { idempotencyKey: key, requestId: 'req_object' }),
        });
        const asked = { ...call, kind: ObjectRequest_Kind.OBJECTION, purposes: ['marketing'], lift };
        return kit.end((await kit.call(object, asked)).operation);
      });
    },
  },
];
