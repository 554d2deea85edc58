import { randomUUID } from 'node:crypto';
import { createTestKeys } from '../examples/acme/test/pd-client.ts';
import { rowsOf } from './ask.ts';
import { openBareLoop } from './bare-loop.ts';
import type { Benchmark } from './benchmark.ts';
import { type Company, openCompany } from './company.ts';
import { judge } from './figure.ts';
import { followAll } from './follow-all.ts';
import { inFlight } from './limiter.ts';
import { median, timed } from './statistics.ts';

const PEOPLE = 1_000;
const IN_FLIGHT = 100;
const CONCURRENCY = 16;
const RUNS = 3;

/** How much longer access requests take than the calls alone that they consist of. */
export const fanOut: Benchmark = {
  name: 'fan-out',
  about: `${PEOPLE} access requests over the example's four systems, ${IN_FLIGHT} in flight`,
  async run(bench) {
    bench.say('starting the example company');
    const postgres = await bench.postgres();
    const keys = createTestKeys();
    const company = await openCompany({
      folder: bench.folder('fan-out'),
      databaseUrl: (name) => postgres.superuserUrl(name),
      name: 'fan_out',
      concurrency: CONCURRENCY,
      otherKeys: [keys.publicKey],
    });
    const bare = await openBareLoop({ acme: company.acme, keys, concurrency: CONCURRENCY });
    const server = company.start();
    const watched = watch(company);
    try {
      await server.ready;
      await company.mapped();
      const byLoop: number[] = [];
      const byHabeas: number[] = [];
      for (let run = 1; run <= RUNS; run += 1) {
        bench.say(`run ${run} of ${RUNS}: the bare loop`);
        const loop = await timed(() => bare.collect({ people: PEOPLE, inFlight: IN_FLIGHT }));
        bench.say(`run ${run} of ${RUNS}: Habeas`);
        const habeas = await timed(() => collectByHabeas(company, watched));
        bench.say(
          `${(loop.milliseconds / 1_000).toFixed(1)} s and ${(habeas.milliseconds / 1_000).toFixed(1)} s`,
        );
        const records = await recordsOf(company, habeas.result);
        if (records !== loop.result) {
          throw new Error(`Habeas collected ${records} records, the bare loop ${loop.result}.`);
        }
        byLoop.push(loop.milliseconds / 1_000);
        byHabeas.push(habeas.milliseconds / 1_000);
      }
      return [
        judge({
          name: 'fan-out',
          value: median(byHabeas),
          unit: 's',
          baseline: median(byLoop),
          goal: { ratio: 4 },
          measured: `${PEOPLE} access requests through the API, ${IN_FLIGHT} in flight, from the first call to the last package, tickets closed at once; median of ${RUNS}`,
          against: `a bare loop that makes the same calls of the same systems by the same connectors, ${IN_FLIGHT} people in flight and ${CONCURRENCY} calls at once on each system as there, and stores, plans, packs and logs nothing; every run collects the same records`,
          notes: [
            `runs: ${byHabeas.map((time, run) => `${time.toFixed(1)} s against ${byLoop[run]?.toFixed(1)} s`).join(', ')}`,
          ],
        }),
      ];
    } finally {
      await watched.close();
      await server.end('SIGTERM');
      await bare.close();
      await company.stop();
    }
  },
};

/** The company's own side: closes tickets as they open, and tells when requests end. */
function watch(company: Company) {
  const ended = new Map<string, PromiseWithResolvers<void>>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const endOf = (id: string) => {
    const known = ended.get(id) ?? Promise.withResolvers<void>();
    ended.set(id, known);
    return known;
  };
  const controller = new AbortController();
  const following = followAll(company, {
    signal: controller.signal,
    onEvent: ({ type, request_id: id, data }) => {
      if (type === 'ticket.opened') {
        const answer = { note: 'Looked, and handed over.', count: 0 };
        company.client.closeTicket(String(data.subject), answer).catch(failed.reject);
      } else if (type === 'request.completed' && id !== null) endOf(id).resolve();
      else if (data.state === 'blocked') failed.reject(new Error(`Request ${id} is blocked.`));
    },
  });
  return {
    /** Rejects as soon as any request is blocked. */
    ended: (id: string) => Promise.race([endOf(id).promise, failed.promise]),
    async close() {
      controller.abort();
      await following;
    },
  };
}

/** Makes the requests and waits for every end. Gives the ids. */
async function collectByHabeas(
  company: Company,
  watched: ReturnType<typeof watch>,
): Promise<readonly string[]> {
  const ids: string[] = [];
  await inFlight({ count: PEOPLE, most: IN_FLIGHT }, async (n) => {
    const identities = [{ type: 'email', value: company.acme.subject(n).email }];
    const { id } = await company.client.createRequest({ right: 'access', identities }, randomUUID());
    ids.push(id);
    await watched.ended(id);
  });
  return ids;
}

async function recordsOf(company: Company, ids: readonly string[]): Promise<number> {
  let records = 0;
  await inFlight({ count: ids.length, most: 8 }, async (n) => {
    const tasks = await company.client.listTasks(ids[n] ?? '');
    records += rowsOf(tasks, 'collect');
  });
  return records;
}
