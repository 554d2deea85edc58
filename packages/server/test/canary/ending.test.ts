import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { api } from '@habeas/contract';
import { describe, expect, test } from 'vitest';
import { createTestDatabase } from '../database.ts';
import { apiOf } from '../e2e/api.ts';
import { startServe } from '../e2e/habeas-command.ts';
import { type MemcachedServer, startMemcached } from '../memcached-server.ts';
import { RABBITMQ_ENVIRONMENT, type RabbitmqServer, startRabbitmq } from '../rabbitmq-server.ts';
import { requireProgram } from '../requirements.ts';
import { createMarkFinder } from './find-marks.ts';
import { makePeople } from './people.ts';

const PEOPLE = makePeople(10);
const [ANN] = PEOPLE;
const find = createMarkFinder(PEOPLE);
/** How long each item and message lives: long enough for an erasure on a busy machine. */
const SECONDS = 25;

const datasetOf = (store: string, collection: string, lifetime: string) => `
dataset:
  - fides_key: ${store}
    collections:
      - name: ${collection}
        habeas: { lifetime: ${lifetime} }
        fields: [{ name: about, data_categories: [user.contact] }]
`;

const memcachedProgram = requireProgram('memcached', '-V');
const rabbitmqProgram = requireProgram(RABBITMQ_ENVIRONMENT);

describe.skipIf(memcachedProgram === undefined || rabbitmqProgram === undefined)(
  'marks in stores in which nobody can be looked for',
  () => {
    test('are left by an erasure, are told by its receipt, and are gone when it says so', async () => {
      await using memcached = await startMemcached();
      await using rabbitmq = await startRabbitmq();
      await using server = await serveOver(memcached, rabbitmq);
      await rabbitmq.put('queues/%2F/mails', {
        durable: true,
        arguments: { 'x-message-ttl': SECONDS * 1_000 },
      });
      await putMarks(memcached, rabbitmq);
      const marks = () => peopleIn(memcached, rabbitmq);

      const identities = [{ type: 'email', value: ANN?.email ?? '' }];
      const { id } = await server.api.ask({ right: 'erasure', identities });
      await server.api.until(id, 'completed');
      expect(await marks()).toEqual({ cache: PEOPLE.length, queue: PEOPLE.length });

      const { receipt } = await server.api.get<api.ReceiptView>(`/api/v1/requests/${id}/receipt`);
      const ends = Object.fromEntries(
        receipt.residuals.map(({ system, until }) => [system, Date.parse(until ?? '')]),
      );
      const asked = Date.parse(receipt.received_at);
      expect(Object.keys(ends).sort()).toEqual(['cache', 'queue']);
      for (const end of Object.values(ends)) {
        expect(end).toBeGreaterThanOrEqual(asked + SECONDS * 1_000);
        expect(end).toBeLessThanOrEqual(Date.now() + SECONDS * 1_000);
      }

      await setTimeout(Math.max(...Object.values(ends)) - Date.now());
      expect(await marks()).toEqual({ cache: 0, queue: 0 });
    }, 420_000);
  },
);

async function putMarks(memcached: MemcachedServer, rabbitmq: RabbitmqServer): Promise<void> {
  for (const { number, mark } of PEOPLE) {
    await memcached.set(`session:${number}`, `I am ${mark}`, SECONDS);
    const message = {
      routing_key: 'mails',
      payload: `to ${mark}`,
      payload_encoding: 'string',
      properties: {},
    };
    expect(await rabbitmq.post('exchanges/%2F/amq.default/publish', message)).toEqual({ routed: true });
  }
}

/** How many people each store still has something of. */
async function peopleIn(
  memcached: MemcachedServer,
  rabbitmq: RabbitmqServer,
): Promise<Record<string, number>> {
  const items = await Promise.all(PEOPLE.map(({ number }) => memcached.get(`session:${number}`)));
  const look = { count: 100, ackmode: 'ack_requeue_true', encoding: 'auto' };
  const messages = await rabbitmq.post('queues/%2F/mails/get', look);
  const count = (texts: unknown) =>
    new Set(find(Buffer.from(JSON.stringify(texts))).map(({ person }) => person)).size;
  return { cache: count(items), queue: count(messages) };
}

async function serveOver(memcached: MemcachedServer, rabbitmq: RabbitmqServer) {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'habeas-ending-'));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const database = opened.use(await createTestDatabase());
  writeFileSync(
    join(folder, 'cache.yml'),
    datasetOf('cache', 'sessions', `{ keys: "session:", max_age: ${SECONDS}s }`),
  );
  writeFileSync(join(folder, 'queue.yml'), datasetOf('queue', 'mails', '{}'));
  const config = join(folder, 'habeas.yaml');
  const connections = [
    { key: 'cache', team: 'all', kind: 'memcached', url: memcached.url, datasets: ['cache.yml'] },
    {
      key: 'queue',
      team: 'all',
      kind: 'rabbitmq',
      url: `http://guest:guest@${rabbitmq.host}/`,
      datasets: ['queue.yml'],
    },
  ];
  writeFileSync(config, JSON.stringify({ data_dir: join(folder, '.habeas'), connections }));
  const server = await startServe(['--config', config, '--port', '0'], {
    environment: { DATABASE_URL: database.url },
    folder,
  });
  opened.defer(async () => {
    await server.end('SIGKILL');
  });
  const closing = opened.move();
  return {
    api: apiOf({ url: server.url, key: server.key ?? '' }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
