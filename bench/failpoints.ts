import type { api } from '@habeas/contract';
import type { Bench, Benchmark } from './benchmark.ts';
import { type Lane, openLane, type Violation } from './failpoints/lane.ts';
import { type Part, sliceOf } from './failpoints/part.ts';
import { progressOf } from './failpoints/progress.ts';
import { judge } from './figure.ts';

/** Companies side by side: while a server starts in one, requests go on in another. */
const LANES = 4;
const PEOPLE = 400;

export interface FailpointOptions extends Part {
  readonly lanes: number;
  /** Of each lane: a request at each of its failpoints, and one of each right. */
  readonly people: number;
}

export interface FailpointReport {
  /** Failpoints that a server was killed at. */
  readonly killed: readonly Failpoint[];
  /** Failpoints that were noted, and that the request did not come by the second time. */
  readonly missed: readonly Failpoint[];
  readonly violations: readonly Violation[];
  readonly seconds: number;
}

/** Kills the server at each of its failpoints, one request each, and looks into every store afterwards. */
export const failpoints: Benchmark = {
  name: 'failpoints',
  about: 'kill -9 of the server before and after each commit and each call, for each right',
  async run(bench) {
    const report = await runFailpoints(bench, { ...bench.part, lanes: LANES, people: PEOPLE });
    const perRight = [...bench.part.rights, undefined].flatMap((right) => summaryOf(report, right));
    const missed = report.missed.map(({ right, name }) => `not killed at: ${right} ${name}`);
    for (const line of [...perRight, ...missed, ...report.violations.map(({ text }) => text)])
      bench.say(line);
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
          ...perRight,
          `${report.seconds.toFixed(0)} s, slice ${bench.part.slice.which}/${bench.part.slice.of}`,
          ...missed,
          ...report.violations.slice(0, 10).map(({ text }) => text),
        ],
      }),
    ];
  },
};

/** Points, kills and violations of a right; without one, the violations that no single request shows, if there are any. */
function summaryOf(report: FailpointReport, right: api.Right | undefined): readonly string[] {
  const ofRight = (all: readonly { readonly right: api.Right | undefined }[]) =>
    all.filter((one) => one.right === right).length;
  const [killed, missed, violations] = [report.killed, report.missed, report.violations].map(ofRight);
  if (right === undefined) return violations === 0 ? [] : [`no single right: ${violations} violations`];
  const points = Number(killed) + Number(missed);
  return [
    `${right}: ${points} points, ${killed} kills, ${violations} violations, ${missed} not passed a second time`,
  ];
}

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
  const asked = sliceOf(waiting, options.slice);
  bench.say(`${waiting.length} failpoints, ${asked.length} of them are tried`);
  const killed: Failpoint[] = [];
  const missed: Failpoint[] = [];
  const todo = [...asked];
  const begun = performance.now();
  await Promise.all(
    lanes.map(async (lane) => {
      for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
        ((await lane.killAt(next.right, next.name)) ? killed : missed).push(next);
        const done = killed.length + missed.length;
        bench.say(progressOf({ done, of: asked.length, milliseconds: performance.now() - begun }));
      }
    }),
  );
  const violations = (await Promise.all(lanes.map((lane) => lane.violations()))).flat();
  return { killed, missed, violations, seconds: (performance.now() - started) / 1_000 };
}

/** A place of the server's way, such as `before commit of task.succeeded`, in a request of a right. */
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
