import { randomUUID } from 'node:crypto';
import { type Bucket, openBucket } from '../src/connectors/objects/s3/s3-bucket.ts';
import { openS3Store } from '../src/connectors/objects/s3/s3-store.ts';
import { type Clock, systemClock } from '../src/foundation/index.ts';
import type { MotoServer } from './moto-server.ts';

const { signal } = new AbortController();

export const S3_OPTIONS = { region: 'us-east-1', access_key_id: 'AKIATEST', secret_access_key: 'secret' };

/** A bucket of its own at a server that speaks S3, and what people other than Habeas do with it. */
export interface TestBucket {
  readonly name: string;
  /** As a connection has it. */
  readonly url: string;
  put(
    key: string,
    body: string | Buffer,
    headers?: Readonly<Record<string, string>>,
    query?: Readonly<Record<string, string>>,
  ): Promise<void>;
  call: Bucket['call'];
  /** Undefined: there is none. */
  get(key: string): Promise<Buffer | undefined>;
  remove(key: string): Promise<void>;
  /** Every version with its content, oldest first by key; delete markers as null. */
  versions(): Promise<Readonly<Record<string, readonly (string | null)[]>>>;
  store(options?: { readonly url?: string; readonly clock?: Clock }): ReturnType<typeof openS3Store>;
}

export async function makeBucket(
  moto: MotoServer,
  options: { readonly versioning?: boolean; readonly locks?: boolean } = {},
): Promise<TestBucket> {
  const name = `bucket-${randomUUID()}`;
  const account = { endpoint: moto.url, region: 'us-east-1', accessKeyId: 'other', secretAccessKey: 'other' };
  const bucket = openBucket({ key: 'test', bucket: name, account, clock: systemClock });
  const what = 'prepare a test';
  await bucket.call({
    method: 'PUT',
    what,
    ...(options.locks === true ? { headers: { 'x-amz-bucket-object-lock-enabled': 'true' } } : {}),
    signal,
  });
  const store: TestBucket['store'] = ({ url = moto.url, clock = systemClock } = {}) =>
    openS3Store({ key: 'lake', bucket: name, clock, account: { ...account, endpoint: url } });
  const made: TestBucket = {
    name,
    url: `${moto.url}/${name}`,
    call: bucket.call,
    async put(key, body, headers = {}, query = {}) {
      await bucket.call({
        method: 'PUT',
        what,
        ...(key === '' ? {} : { key }),
        headers,
        query,
        body: Buffer.from(body),
        signal,
      });
    },
    async get(key) {
      const reply = await bucket.call({ method: 'GET', what, key, expected: ['NoSuchKey'], signal });
      return reply.status === 404 ? undefined : reply.body;
    },
    async remove(key) {
      await bucket.call({ method: 'DELETE', what, key, signal });
    },
    async versions() {
      const found: Record<string, { readonly at: number; readonly text: string | null }[]> = {};
      const opened = store();
      for await (const version of opened.versions('', signal)) {
        const bytes = version.isMarker
          ? null
          : await opened
              .open(version, signal)
              .read(0, version.size)
              .then((one) => Buffer.from(one).toString('latin1'));
        found[version.key] ??= [];
        found[version.key]?.push({
          at: version.modifiedAt.getTime() + (version.isLatest ? 1e9 : 0),
          text: bytes,
        });
      }
      opened.close();
      return Object.fromEntries(
        Object.entries(found).map(([key, all]) => [
          key,
          all.sort((one, other) => one.at - other.at).map(({ text }) => text),
        ]),
      );
    },
    store,
  };
  if (options.versioning === true)
    await made.put(
      '',
      '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
      {},
      { versioning: '' },
    );
  return made;
}
