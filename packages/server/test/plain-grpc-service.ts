import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { decodeJwt, importJWK, type JWTPayload, jwtVerify } from 'jose';

/** One way each in which the service breaks the contract. */
export type Fault =
  | 'lets-everyone-in'
  | 'describes-itself-to-everyone'
  | 'takes-expired-tokens'
  | 'ignores-the-audience'
  | 'does-not-check-signatures'
  | 'says-unknown-people-are-errors'
  | 'forgets-keys'
  | 'checks-keys-before-it-waits'
  | 'does-not-compare-bodies'
  | 'erases-in-dry-runs'
  | 'keeps-the-data'
  | 'keeps-the-data-and-denies-it'
  | 'reads-values-as-patterns'
  | 'loses-unicode'
  | 'takes-incomplete-calls'
  | 'ignores-the-page-size'
  | 'gives-records-in-dry-runs'
  | 'changes-ended-operations'
  | 'begins-anew-after-a-deadline'
  | 'never-ends'
  | 'forgets-ended-operations'
  | 'makes-up-operations'
  | 'has-another-name'
  | 'needs-more-than-it-says'
  | 'resolves-less-than-it-says'
  | 'counts-wrong';

export interface PlainServiceOptions {
  readonly service: string;
  /** `x` of the Ed25519 public key. */
  readonly publicKey: string;
  readonly subject: string;
  readonly rows: number;
  readonly fault?: Fault | undefined;
}

interface Call {
  readonly request_id: string;
  readonly idempotency_key: string;
  readonly identities: { readonly type: string; readonly value: string }[];
  readonly dry_run: boolean;
  readonly page_size: number;
  readonly page_token: string;
  readonly name: string;
}

interface Operation {
  readonly name: string;
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
}

interface Kept {
  readonly fingerprint: string;
  readonly operation: Promise<Operation>;
  readonly ids: readonly number[];
}

class Refusal extends Error {
  readonly code: grpc.status;
  constructor(code: grpc.status, message: string) {
    super(message);
    this.code = code;
  }
}

/** As long as a look into a database. */
const look = () => new Promise((resolve) => setTimeout(resolve, 20));

/** A small service over plain grpc-js, written without the SDK, as a team might write it. It answers at once. */
export async function startPlainService(options: PlainServiceOptions) {
  const { fault } = options;
  const has = (one: Fault) => one === fault;
  const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: options.publicKey }, 'EdDSA');
  let rows = Array.from({ length: options.rows }, (_, index) => index + 1);
  const byKey = new Map<string, Kept>();
  const byName = new Map<string, Kept>();
  const cut = new Set<string>();

  const claimsOf = async (token: string): Promise<JWTPayload> => {
    if (has('does-not-check-signatures')) {
      const claims = decodeJwt(token);
      if (claims.aud !== options.service || (claims.exp ?? 0) < Date.now() / 1_000)
        throw new Error('not valid');
      return claims;
    }
    const rules = has('ignores-the-audience') ? {} : { audience: options.service };
    const at = has('takes-expired-tokens')
      ? { currentDate: new Date(((decodeJwt(token).iat ?? 0) + 1) * 1_000) }
      : {};
    return (await jwtVerify(token, key, { issuer: 'habeas', algorithms: ['EdDSA'], ...rules, ...at }))
      .payload;
  };
  const check = async (metadata: grpc.Metadata) => {
    if (has('lets-everyone-in')) return;
    const token = /^Bearer (.+)$/.exec(String(metadata.get('authorization')[0] ?? ''))?.[1];
    try {
      await claimsOf(token ?? '');
    } catch {
      throw new Refusal(grpc.status.UNAUTHENTICATED, 'no valid token');
    }
  };
  const fits = (value: string): boolean => {
    if (has('reads-values-as-patterns')) return value === options.subject || value.includes('%');
    if (has('loses-unicode')) return value.replace(/[^\x20-\x7e]/g, '') === options.subject;
    return value === options.subject;
  };
  const idsOf = ({ identities }: Call): number[] => {
    const found = identities.some(({ type, value }) => type === 'email' && fits(value));
    if (has('needs-more-than-it-says') && !identities.some(({ type }) => type === 'user_id')) return [];
    return found ? rows : [];
  };
  const counted = (ids: readonly number[]) => {
    const extra = has('counts-wrong') ? 1 : 0;
    return ids.length === 0
      ? { state: 'NO_MATCH', counts: {} }
      : { state: 'SUCCEEDED', counts: { rows: ids.length + extra } };
  };
  const operate = async (rpc: string, call: Call, act: (ids: readonly number[]) => void): Promise<Kept> => {
    const incomplete = call.idempotency_key === '' || call.identities.length === 0;
    if (incomplete && !has('takes-incomplete-calls'))
      throw new Refusal(grpc.status.INVALID_ARGUMENT, 'incomplete');
    const fingerprint = JSON.stringify([rpc, call.request_id, call.identities, call.dry_run]);
    const known =
      has('forgets-keys') || cut.has(call.idempotency_key) ? undefined : byKey.get(call.idempotency_key);
    if (known !== undefined) {
      if (known.fingerprint === fingerprint || has('does-not-compare-bodies')) return known;
      throw new Refusal(grpc.status.INVALID_ARGUMENT, 'this key was used for another call');
    }
    if (has('says-unknown-people-are-errors') && idsOf(call).length === 0) {
      throw new Refusal(grpc.status.NOT_FOUND, 'no such person');
    }
    if (has('checks-keys-before-it-waits')) await look();
    const ids = idsOf(call);
    const name = randomUUID();
    const run = async (): Promise<Operation> => {
      act(ids);
      return { name, ...counted(ids) };
    };
    const kept = { fingerprint, operation: run(), ids };
    byKey.set(call.idempotency_key, kept);
    byName.set(name, kept);
    return kept;
  };
  const records = (kept: Kept, call: Call) => {
    const dry = (JSON.parse(kept.fingerprint) as unknown[])[3] === true;
    if (dry && !has('gives-records-in-dry-runs')) return { records: [], next_page_token: '' };
    const size = call.page_size === 0 || has('ignores-the-page-size') ? 1_000 : call.page_size;
    const start = Number(call.page_token === '' ? 0 : call.page_token);
    const page = kept.ids.slice(start, start + size);
    const next = start + size < kept.ids.length ? String(start + size) : '';
    return {
      records: page.map((id) => ({ collection: 'rows', row: { fields: { id: { numberValue: id } } } })),
      next_page_token: next,
    };
  };
  const erase = (call: Call) => (ids: readonly number[]) => {
    if (call.dry_run && !has('erases-in-dry-runs')) return;
    if (has('keeps-the-data') || has('keeps-the-data-and-denies-it')) return;
    if (ids.length > 0) rows = [];
  };
  const goesOn = ({ fingerprint, ids }: Kept): boolean =>
    has('never-ends') &&
    ids.length > 0 &&
    fingerprint.startsWith('["Delete"') &&
    fingerprint.endsWith('false]');
  let erased = false;

  const handlers: Record<
    string,
    (call: Call, signal: { readonly cancelled: () => boolean }) => Promise<object>
  > = {
    async Get(call) {
      const kept = await operate('Get', call, () => undefined);
      return { operation: await kept.operation, ...records(kept, call) };
    },
    async Delete(call, { cancelled }) {
      const waits = has('begins-anew-after-a-deadline') && !call.dry_run;
      if (waits) await look();
      const kept = await operate('Delete', call, erase(call));
      if (waits && cancelled()) cut.add(call.idempotency_key);
      const operation = await kept.operation;
      if (!call.dry_run && kept.ids.length > 0) erased = true;
      if (goesOn(kept)) return { operation: { ...operation, state: 'RUNNING' } };
      return { operation };
    },
    async Verify(call) {
      const kept = await operate('Verify', call, () => undefined);
      const operation = await kept.operation;
      const denies = has('keeps-the-data-and-denies-it') && erased;
      return { operation: denies ? { name: operation.name, state: 'NO_MATCH', counts: {} } : operation };
    },
    async ResolveIdentities(call) {
      const kept = await operate('ResolveIdentities', call, () => undefined);
      const found = kept.ids.length > 0 && !has('resolves-less-than-it-says');
      return { operation: await kept.operation, identities: found ? [{ type: 'user_id', value: '7' }] : [] };
    },
    async GetOperation(call) {
      const kept = byName.get(call.name);
      if (has('makes-up-operations') && kept === undefined)
        return { operation: { name: call.name, state: 'NO_MATCH' } };
      if (kept === undefined || has('forgets-ended-operations'))
        throw new Refusal(grpc.status.NOT_FOUND, 'unknown');
      const operation = await kept.operation;
      if (goesOn(kept)) return { operation: { ...operation, state: 'RUNNING' } };
      if (has('changes-ended-operations')) return { operation: { name: operation.name, state: 'NO_MATCH' } };
      return { operation, ...records(kept, call) };
    },
    async Describe() {
      return {
        service: has('has-another-name') ? 'another' : options.service,
        data_categories: ['user.contact.email'],
        identity_types_needed: ['email'],
        identity_types_resolved: ['user_id'],
        rights: ['access', 'erasure'],
      };
    },
  };

  const server = new grpc.Server();
  const root = fileURLToPath(new URL('../../contract/proto', import.meta.url));
  const loaded = grpc.loadPackageDefinition(
    loadSync('habeas/pd/v1/pd_client.proto', {
      includeDirs: [root],
      keepCase: true,
      enums: String,
      defaults: true,
      arrays: true,
    }),
  );
  server.addService(
    serviceOf(loaded),
    Object.fromEntries(
      Object.entries(handlers).map(([name, handle]) => [
        name,
        (call: grpc.ServerUnaryCall<Call, object>, done: grpc.sendUnaryData<object>) => {
          const open = name === 'Describe' && has('describes-itself-to-everyone');
          (open ? Promise.resolve() : check(call.metadata))
            .then(() => handle(call.request, { cancelled: () => call.cancelled }))
            .then(
              (answer) => done(null, answer),
              (error: unknown) =>
                done({
                  code: error instanceof Refusal ? error.code : grpc.status.INTERNAL,
                  message: 'refused',
                }),
            );
        },
      ]),
    ),
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { port, close: () => server.forceShutdown() };
}

/** Finds `habeas.pd.v1.PDClient` in what the loader made. */
function serviceOf(loaded: grpc.GrpcObject): grpc.ServiceDefinition {
  let at: grpc.GrpcObject[string] | undefined = loaded;
  for (const name of ['habeas', 'pd', 'v1', 'PDClient']) at = (at as grpc.GrpcObject | undefined)?.[name];
  if (typeof at !== 'function' || !('service' in at)) throw new Error('The proto has no PDClient.');
  return at.service as grpc.ServiceDefinition;
}
