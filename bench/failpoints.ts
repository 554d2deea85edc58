import type { api } from '@habeas/contract';
import type { Bench, Benchmark } from './benchmark.ts';
import { type Lane, openLane } from './failpoints/lane.ts';
import { judge } from './figure.ts';

const RIGHTS: readonly api.Right[] = [
  'access',
  'portability',
  'erasure',
  'rectification',
  'restriction',
  'objection',
  'opt_out_of_sale',
  'limit_sensitive_data',
];
/** Companies side by side: while a server starts in one, requests go on in another. */
const LANES = 4;
const PEOPLE = 400;

export interface FailpointOptions {
  readonly rights: readonly api.Right[];
  readonly lanes: number;
  /** Of each lane: a request at each of its failpoints, and one of each right. */
  readonly people: number;
  /** Kills at every nth failpoint only. (Default: at each) */
  readonly every?: number;
}

export interface FailpointReport {
  /** Names of failpoints that a server was killed at. */
  readonly killed: readonly string[];
  /** Names that were noted, and that the request did not come by the second time. */
  readonly missed: readonly string[];
  readonly violations: readonly string[];
  readonly seconds: number;
}

/** Kills the server at each of its failpoints, one request each, and looks into every store afterwards. */
export const failpoints: Benchmark = {
  name: 'failpoints',
  about: 'kill -9 of the server before and after each commit and each call, for each right',
  async run(bench) {
    const report = await runFailpoints(bench, { rights: RIGHTS, lanes: LANES, people: PEOPLE });
    for (const violation of report.violations) bench.say(violation);
    return [
      judge({
        name: 'failpoints',
        value: report.killed.length - report.violations.length,
        unit: 'failpoints',
        baseline: report.killed.length,
        goal: { exactly: { ratio: 1 } },
        measured:
          'failpoints after which the request ended by itself, with every effect once, nothing readable that was called erased, and everybody told',
        against: 'failpoints that the server was killed at with kill -9',
        notes: [
          `${report.missed.length} more were not passed a second time, ${report.seconds.toFixed(0)} s`,
          ...report.violations.slice(0, 10),
        ],
      }),
    ];
  },
};

export async function runFailpoints(bench: Bench, options: FailpointOptions): Promise<FailpointReport> {
  const started = performance.now();
  const postgres = await bench.postgres();
  bench.say('starting the example companies');
  await using stack = new AsyncDisposableStack();
  const lanes: Lane[] = [];
  // One after the other: each makes the data of its people.
  for (let n = 0; n < options.lanes; n += 1) {
    const name = `failpoints_${n}`;
    const databaseUrl = (database?: string) => postgres.superuserUrl(database);
    lanes.push(
      stack.use(await openLane({ folder: bench.folder(name), databaseUrl, name, people: options.people })),
    );
  }
  const waiting = await noteAll(lanes, options.rights);
  const asked = waiting.filter((_, index) => index % (options.every ?? 1) === 0);
  bench.say(`${waiting.length} failpoints, ${asked.length} of them are tried`);
  const killed: string[] = [];
  const missed: string[] = [];
  const todo = [...asked];
  await Promise.all(
    lanes.map(async (lane) => {
      for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
        const at = `${next.right}: ${next.name}`;
        if (await lane.killAt(next.right, next.name)) killed.push(at);
        else missed.push(at);
        const done = killed.length + missed.length;
        if (done % 20 === 0) bench.say(`${done} of ${asked.length}`);
      }
    }),
  );
  const violations = (await Promise.all(lanes.map((lane) => lane.violations()))).flat();
  return { killed, missed, violations, seconds: (performance.now() - started) / 1_000 };
}

interface Failpoint {
  readonly right: api.Right;
  readonly name: string;
}

/** The failpoints of each right, noted by the lanes side by side. What a server comes by without a request is tried with the first. */
async function noteAll(lanes: readonly Lane[], rights: readonly api.Right[]): Promise<readonly Failpoint[]> {
  const idle = new Set((await Promise.all(lanes.map((lane) => lane.noteIdle()))).flat());
  const noted = new Map<api.Right, readonly string[]>();
  const todo = [...rights];
  await Promise.all(
    lanes.map(async (lane) => {
      for (let right = todo.shift(); right !== undefined; right = todo.shift())
        noted.set(right, await lane.note(right));
    }),
  );
  return rights.flatMap((right, index) =>
    (noted.get(right) ?? [])
      .filter((name) => index === 0 || !idle.has(name))
      .map((name) => ({ right, name })),
  );
}
