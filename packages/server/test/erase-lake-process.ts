/** Erases a person in a bucket by keys that were found before, all of it given as JSON; to be killed in the middle of it. */
import { text } from 'node:stream/consumers';
import { type Identity, parseDatasets } from '../src/catalog/index.ts';
import type { KeyBatch } from '../src/connectors/index.ts';
import { createS3Connector } from '../src/connectors/objects/index.ts';
import { systemClock } from '../src/foundation/index.ts';
import { S3_OPTIONS } from './s3-bucket.ts';

interface Work {
  readonly url: string;
  readonly dataset: string;
  readonly identities: readonly Identity[];
  readonly keys: readonly KeyBatch[];
}

const { url, dataset, identities, keys }: Work = JSON.parse(await text(process.stdin));
const connector = createS3Connector({
  key: 'lake',
  url,
  folder: '/',
  options: S3_OPTIONS,
  datasets: parseDatasets(dataset, 'lake.yml'),
  keepRules: [],
  clock: systemClock,
  connections: 4,
});
await connector.erase(
  {
    organizationId: 'test',
    requestId: 'req_test',
    idempotencyKey: 'test',
    identities,
    dueTime: new Date('2100-01-01'),
    signal: new AbortController().signal,
    async *keys() {
      yield* keys;
    },
  },
  'erase',
);
