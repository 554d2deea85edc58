import type { Bench, Benchmark } from './benchmark.ts';
import { type ConsentServer, PURPOSE_CODES, serveConsent, serveEmptyHandler } from './consent-server.ts';
import { type Figure, judge } from './figure.ts';
import { type HttpClient, openClient } from './http-clients.ts';
import { processorTime } from './processor-time.ts';
import { median, quantile } from './statistics.ts';

const CLIENTS = 16;
/** Calls that a back end with some requests of its own under way makes at once. */
const AT_ONCE = 4;
const PEOPLE = 50_000;
const SECONDS = 4;
const RUNS = 5;
/** Signals a second that come while a signature is read: as many as a busy site has. */
const SIGNALS_WHILE_READING = 1_000;
const READS = 3_000;

/** How fast the REST API takes single signals, and how long it takes to read what they come to. */
export const consentHttp: Benchmark = {
  name: 'consent-http',
  about: `store single signals by ${CLIENTS} clients of the REST API, and read signatures meanwhile`,
  async run(bench) {
    await using server = await serveConsent(bench, 'consent_http');
    await using empty = await serveEmptyHandler();
    const signals = signalsOf();
    const one = (client: HttpClient) => client.post('/api/v1/consent', signals.next().value);
    const nothing = (client: HttpClient) => client.post('/', signals.next().value);
    const measure = async (atOnce: number) => {
      const connections = CLIENTS * atOnce;
      using clients = await openClients(connections, server);
      using bare = await openClients(connections, { port: empty.port });
      return await measureCalls({ bench, clients, one, bare, nothing });
    };
    const single = await measure(1);
    const several = await measure(AT_ONCE);
    using clients = await openClients(CLIENTS, server);
    return [
      judgeCalls(single, {
        name: 'consent-http-single',
        measured: `single signals sent by ${CLIENTS} clients, each the next one when the last is stored`,
        against: 'the same bodies sent by as many clients to an empty handler of Fastify',
      }),
      judgeCalls(several, {
        name: 'consent-http-several',
        measured: `single signals sent by ${CLIENTS} clients with ${AT_ONCE} calls under way each`,
        against: 'the same bodies sent in the same way to an empty handler of Fastify',
      }),
      await readWhileSignalsCome({ bench, server, clients, one }),
    ];
  },
};

interface Clients extends Disposable, Iterable<HttpClient> {}

async function openClients(
  count: number,
  server: { readonly port: number; readonly key?: string },
): Promise<Clients> {
  const all = await Promise.all(Array.from({ length: count }, () => openClient(server)));
  return {
    [Symbol.iterator]: () => all.values(),
    [Symbol.dispose]() {
      for (const client of all) client[Symbol.dispose]();
    },
  };
}

/** Calls a second, and processor time of the server, PostgreSQL and the clients in microseconds a call; of each run. */
interface Calls {
  readonly stored: readonly number[];
  readonly handled: readonly number[];
  readonly spent: { readonly stored: readonly number[]; readonly handled: readonly number[] };
}

async function measureCalls(options: {
  readonly bench: Bench;
  readonly clients: Clients;
  readonly one: Call;
  readonly bare: Clients;
  readonly nothing: Call;
}): Promise<Calls> {
  const { bench, clients, one, bare, nothing } = options;
  bench.say('warming up');
  await callsASecond(clients, one);
  await callsASecond(bare, nothing);
  const stored: number[] = [];
  const handled: number[] = [];
  const spent = { stored: [] as number[], handled: [] as number[] };
  for (let run = 0; run < RUNS; run += 1) {
    bench.say(`run ${run + 1} of ${RUNS}`);
    const begin = processorTime();
    stored.push(await callsASecond(clients, one));
    const middle = processorTime();
    handled.push(await callsASecond(bare, nothing));
    const perCall = (milliseconds: number, rate = Number.NaN) => (milliseconds * 1_000) / (rate * SECONDS);
    spent.stored.push(perCall(middle - begin, stored.at(-1)));
    spent.handled.push(perCall(processorTime() - middle, handled.at(-1)));
  }
  return { stored, handled, spent };
}

function judgeCalls(
  { stored, handled, spent }: Calls,
  { measured, ...words }: { readonly name: string; readonly measured: string; readonly against: string },
): Figure {
  const rate = median(stored);
  return judge({
    ...words,
    value: 1e6 / rate,
    unit: 'µs a signal',
    baseline: 1e6 / median(handled),
    goal: rate >= 15_000 ? { value: 1e6 / 15_000 } : { ratio: 1 / 0.6 },
    measured: `${measured}; median of ${RUNS} times ${SECONDS} s`,
    notes: [
      `${rate.toFixed(0)} signals a second (${stored.map((each) => each.toFixed(0)).join(', ')}), empty handler ${median(handled).toFixed(0)} calls`,
      `processor time of server, PostgreSQL and clients together: ${median(spent.stored).toFixed(0)} µs a signal, ${median(spent.handled).toFixed(0)} µs an empty call`,
    ],
  });
}

type Call = (client: HttpClient) => Promise<number>;

async function callsASecond(clients: Clients, call: Call): Promise<number> {
  const start = performance.now();
  let count = 0;
  await Promise.all(
    Array.from(clients, async (client) => {
      while (performance.now() - start < SECONDS * 1_000) {
        requireOk(await call(client));
        count += 1;
      }
    }),
  );
  return (count * 1_000) / (performance.now() - start);
}

function requireOk(status: number): void {
  if (status !== 200) throw new Error(`A call was answered with ${status}.`);
}

/** Bodies of one signal each, without an end. */
function* signalsOf(): Generator<string, never> {
  for (let count = 0; ; count += 1) {
    const code = PURPOSE_CODES[count % PURPOSE_CODES.length] ?? '';
    yield JSON.stringify({
      signals: [
        {
          event_id: `event-${count}`,
          identity: { type: 'user_id', value: personOf(count) },
          said_at: new Date().toISOString(),
          choices: { [code]: count % 3 > 0 },
          source: 'api',
        },
      ],
    });
  }
}

/** A prime, so that neighbours in time are no neighbours in the table. */
const personOf = (count: number) => `user-${(count * 7_919) % PEOPLE}`;

async function readWhileSignalsCome({
  bench,
  server,
  clients,
  one,
}: {
  readonly bench: Bench;
  readonly server: ConsentServer;
  readonly clients: Clients;
  readonly one: Call;
}): Promise<Figure> {
  using reader = await openClient(server);
  bench.say(`${READS} reads, then as many while ${SIGNALS_WHILE_READING} signals a second come`);
  const alone = await timeReads(reader);
  const stopping = new AbortController();
  const start = performance.now();
  let sent = 0;
  const writing = Promise.all(
    Array.from(clients, async (client, place) => {
      while (!stopping.signal.aborted) {
        // Each has its turn at a moment of its own, whatever the others do.
        const due = start + ((sent - (sent % CLIENTS) + place) / SIGNALS_WHILE_READING) * 1_000;
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
        requireOk(await one(client));
        sent += 1;
      }
    }),
  );
  const reads = await timeReads(reader).finally(() => stopping.abort());
  const rate = (sent * 1_000) / (performance.now() - start);
  await writing;
  return judge({
    name: 'consent-read',
    value: quantile(reads, 0.99),
    unit: 'ms',
    baseline: quantile(alone, 0.99),
    goal: { value: 5 },
    measured: `what one of ${PEOPLE} people agreed to, asked of the REST API while signals come; p99 of ${READS}`,
    against: 'the same while nothing comes; p99',
    notes: [
      `${rate.toFixed(0)} signals a second came; median ${median(reads).toFixed(2)} ms, alone ${median(alone).toFixed(2)} ms; the most ${Math.max(...reads).toFixed(1)} ms`,
    ],
  });
}

async function timeReads(reader: HttpClient): Promise<readonly number[]> {
  const times: number[] = [];
  for (let count = 0; count < READS; count += 1) {
    const identity = { type: 'user_id', value: personOf(count * 31) };
    const start = performance.now();
    requireOk(await reader.post('/api/v1/consent:read', JSON.stringify({ identity })));
    times.push(performance.now() - start);
  }
  return times;
}
