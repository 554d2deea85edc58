import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { NullValue, type Value, ValueSchema } from '@bufbuild/protobuf/wkt';
import { type ChangeSchema, ObjectRequest_Kind, PDClient } from '@habeas/contract/pd';
import { HabeasError } from '../../foundation/index.ts';
import type { ChangeMode, ChangeWork, FieldChange, FieldValue, LocatedScope, Outcome } from '../connector.ts';
import { callOf, earlier, evidenceOf } from './operation-calls.ts';
import type { PdClient } from './pd-client.ts';

const { rectify, restrict, object } = PDClient.method;

const KINDS = {
  objection: ObjectRequest_Kind.OBJECTION,
  opt_out_of_sale: ObjectRequest_Kind.OPT_OUT_OF_SALE,
  limit_sensitive_data: ObjectRequest_Kind.LIMIT_SENSITIVE_DATA,
} as const;

/** What a service answers as the code of a value that does not fit. */
const INVALID_VALUE = 'INVALID_VALUE';

/** Rectify, Restrict or Object at a service. Throws VALUE_INVALID where the service says that a value does not fit. */
export async function changeSubject(
  client: PdClient,
  scope: LocatedScope,
  options: {
    /** The system's key, as targets name it. */
    readonly system: string;
    readonly work: ChangeWork;
    readonly mode: ChangeMode;
  },
): Promise<Outcome> {
  const { work } = options;
  const before = await earlier(client, scope);
  const rpc = { rectify, restrict, object }[work.kind].name;
  const reading = before?.reading ?? client.read(await begin(client, scope, options), rpc);
  if (reading.state === 'pending') return reading;
  if (reading.state === 'ended') return { state: 'done', evidence: evidenceOf(reading) };
  if (work.kind === 'rectify' && reading.code === INVALID_VALUE)
    throw new HabeasError(
      'VALUE_INVALID',
      `A new value does not fit at ${client.who}. Nothing was changed there.`,
    );
  throw client.failed(reading, rpc);
}

async function begin(
  client: PdClient,
  scope: LocatedScope,
  { work, mode, system }: Parameters<typeof changeSubject>[2],
) {
  const call = { ...callOf(scope), dryRun: mode === 'dry-run' };
  switch (work.kind) {
    case 'rectify': {
      const changes = work.changes.flatMap((change) => changeFor(change, system));
      return (await client.call(rectify, { ...call, changes }, scope)).operation;
    }
    case 'restrict':
      return (await client.call(restrict, { ...call, lift: work.effect === 'lift' }, scope)).operation;
    case 'object': {
      const { right, purposes, effect } = work;
      const asked = { ...call, kind: KINDS[right], purposes: [...purposes], lift: effect === 'lift' };
      return (await client.call(object, asked, scope)).operation;
    }
    default:
      return work satisfies never;
  }
}

/** Categories are for every service; a field of one system only for that one, by the name that it has there. */
function changeFor(
  { target, from, to }: FieldChange,
  system: string,
): readonly MessageInitShape<typeof ChangeSchema>[] {
  const own = target.startsWith(`${system}.`) ? target.slice(system.length + 1) : undefined;
  if (own === undefined && !/^(user|system)(\.|$)/.test(target)) return [];
  return [
    { target: own ?? target, ...(from === undefined ? {} : { from: wireValue(from) }), to: wireValue(to) },
  ];
}

function wireValue(value: FieldValue): Value {
  if (value === null)
    return create(ValueSchema, { kind: { case: 'nullValue', value: NullValue.NULL_VALUE } });
  if (typeof value === 'string') return create(ValueSchema, { kind: { case: 'stringValue', value } });
  if (typeof value === 'number') return create(ValueSchema, { kind: { case: 'numberValue', value } });
  return create(ValueSchema, { kind: { case: 'boolValue', value } });
}
