import type { api } from '@habeas/contract';
import type { Bench, Benchmark } from './benchmark.ts';
import { type Lane, openLane, type Violation } from './failpoints/lane.ts';
import { type Part, sliceOf } from './failpoints/part.ts';
import { progressOf } from './failpoints/progress.ts';
import { judge } from './figure.ts';

/** Companies side by side: while a server starts in one, requests go on in another. */
const LANES = 4;
const PEOPLE = 600;
/** What a request comes by depends on what else goes on; so many requests in succession that come by none of what is left are enough. */
const VAIN = 12;

export interface FailpointOptions extends Part {
  readonly lanes: number;
  /** Of each lane: a request at each of its failpoints, one of each right, and those for what was missed. */
  readonly people: number;
}

export interface FailpointReport {
  /** Failpoints that a server was killed at. */
  readonly killed: readonly Failpoint[];
  /** Failpoints that were noted once, and that no later request came by. */
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
        baseline: report.killed.length + report.missed.length,
        goal: { exactly: { ratio: 1 } },
        measured:
          'failpoints after which the request ended by itself, with every effect once, nothing readable that was called erased, and everybody told',
        against: 'failpoints that were noted; at each the server is to be killed once with kill -9',
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
    `${right}: ${points} points, ${killed} kills, ${violations} violations, ${missed} not passed again`,
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
  const say = (milliseconds: number, done: number) =>
    bench.say(progressOf({ done, of: asked.length, milliseconds }));
  const { killed, missed } = await killAtAll(lanes, asked, say);
  const violations = (await Promise.all(lanes.map((lane) => lane.violations()))).flat();
  return { killed, missed, violations, seconds: (performance.now() - started) / 1_000 };
}

/** One request each; then, for those that it did not come by, requests that are killed at any of them. */
async function killAtAll(
  lanes: readonly Lane[],
  points: readonly Failpoint[],
  say: (milliseconds: number, done: number) => void,
): Promise<Pick<FailpointReport, 'killed' | 'missed'>> {
  const killed: Failpoint[] = [];
  const begun = performance.now();
  const note = (right: api.Right, name: string | undefined) => {
    if (name !== undefined) killed.push({ right, name });
    say(performance.now() - begun, killed.length);
  };
  const missed = new Map<api.Right, Set<string>>();
  await shared(lanes, points, async (lane, { right, name }) => {
    const at = await lane.killAt(right, [name]);
    if (at === undefined) missed.set(right, (missed.get(right) ?? new Set()).add(name));
    note(right, at);
  });
  await shared(lanes, [...missed], async (lane, [right, left]) => {
    for (let vain = 0; left.size > 0 && vain < VAIN; ) {
      const name = await lane.killAt(right, [...left], vain % 2 === 0 ? 'refused' : 'next');
      vain = name !== undefined && left.delete(name) ? 0 : vain + 1;
      note(right, name);
    }
  });
  const left = [...missed].flatMap(([right, names]) => [...names].map((name) => ({ right, name })));
  return { killed, missed: left };
}

/** Does the work for each item, as many side by side as there are lanes. */
async function shared<Item>(
  lanes: readonly Lane[],
  items: readonly Item[],
  work: (lane: Lane, item: Item) => Promise<void>,
): Promise<void> {
  const todo = [...items];
  await Promise.all(
    lanes.map(async (lane) => {
      for (let next = todo.shift(); next !== undefined; next = todo.shift()) await work(lane, next);
    }),
  );
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
  await shared(lanes, rights, async (lane, right) => {
    noted.set(right, await lane.note(right));
  });
  return rights.flatMap((right, index) =>
    (noted.get(right) ?? [])
      .filter((name) => index === 0 || !idle.has(name))
      .map((name) => ({ right, name })),
  );
}
