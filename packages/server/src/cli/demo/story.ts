import type { api } from '@habeas/contract';
import type { PackageContents } from '../package-contents.ts';
import type { AnsweredTicket } from './answer-ticket.ts';
import type { ExampleTrace } from './example.ts';

/** One thing that the demonstration says it shows, and whether it held. */
export interface Held {
  readonly what: string;
  readonly held: boolean;
}

/** What one request of the demonstration brought. */
export interface RequestStory {
  readonly request: api.RequestView;
  readonly plan: api.PlanView;
  readonly tasks: readonly api.TaskView[];
  readonly tickets: readonly AnsweredTicket[];
  /** Why it did not end as it should. */
  readonly trouble: string | undefined;
}

export interface MapStory {
  readonly map: api.MapView;
  readonly holders: api.HoldersView;
  readonly sourcesRead: number;
  readonly sourcesFailing: number;
}

/** What people had said before Habeas came, and what became of it. */
export interface ChoicesStory {
  readonly sent: number;
  readonly stored: number;
}

export interface AccessStory extends RequestStory {
  readonly package: (PackageContents & { readonly file: string; readonly bytes: number }) | undefined;
}

/** What one place held of the person, before and after. */
export interface TraceStory {
  readonly store: string;
  readonly place: string;
  readonly before: number;
  readonly after: number;
  /** Records that stay without pointing at the person. */
  readonly kept: number;
}

export interface ErasureStory {
  readonly dryRun: RequestStory;
  /** Undefined when the dry run did not end well: then nothing is erased. */
  readonly real: RequestStory | undefined;
  /** What the stores held after the dry run is what they held before it. */
  readonly dryRunChangedNothing: boolean;
  readonly traces: readonly TraceStory[];
}

export interface ReceiptStory {
  readonly view: api.ReceiptView;
  readonly file: string;
  /** The keys that it is verified by. */
  readonly trustFile: string;
  /** Offline, as anybody can. */
  readonly verified: boolean;
}

export interface DemoStory {
  readonly person: string;
  readonly choices: ChoicesStory;
  readonly map: MapStory;
  readonly access: AccessStory;
  readonly erasure: ErasureStory;
  /** Undefined when the erasure did not end. */
  readonly receipt: ReceiptStory | undefined;
}

/** Everything that the demonstration claims, each judged by what was found. */
export function judge(story: DemoStory): readonly Held[] {
  const { choices, map, access, erasure, receipt } = story;
  const acted = receipt?.view.receipt.systems ?? [];
  return [
    { what: 'every metrics page was read', held: map.sourcesRead > 0 && map.sourcesFailing === 0 },
    { what: 'the map says who holds e-mail', held: map.holders.holders.length > 0 },
    {
      what: 'what people had agreed to is known',
      held: choices.sent > 0 && choices.stored === choices.sent,
    },
    { what: 'the access request is completed', held: isCompleted(access) },
    { what: 'the package arrived and every file in it fits its SHA-256', held: access.package !== undefined },
    { what: 'the person was found', held: access.request.matched === true },
    {
      what: 'the dry run is completed and changed nothing',
      held: isCompleted(erasure.dryRun) && erasure.dryRunChangedNothing,
    },
    { what: 'the erasure is completed', held: erasure.real !== undefined && isCompleted(erasure.real) },
    {
      what: 'every system was read again, or its team gave its word',
      held:
        acted.length > 0 &&
        acted.every((system) => system.assurance === 'verified' || system.assurance === 'attested'),
    },
    {
      what: 'no store holds anything that points at the person',
      held: sum(erasure.traces, 'before') > 0 && sum(erasure.traces, 'after') === 0,
    },
    {
      what: 'what was kept is named with its reason',
      held: sum(erasure.traces, 'kept') === 0 || (receipt?.view.receipt.retained.length ?? 0) > 0,
    },
    { what: 'the receipt is signed, and the audit log has it', held: receipt?.verified === true },
  ];
}

function isCompleted(story: RequestStory): boolean {
  return story.trouble === undefined && story.request.state === 'completed';
}

/** Puts what was found before and after side by side; places that never held anything are left out. */
export function compareTraces(
  before: readonly ExampleTrace[],
  after: readonly ExampleTrace[],
): readonly TraceStory[] {
  const places = new Map<string, TraceStory>();
  const at = ({ store, place }: ExampleTrace) => `${store}\n${place}`;
  for (const trace of before) {
    places.set(at(trace), {
      store: trace.store,
      place: trace.place,
      before: trace.pointing,
      after: 0,
      kept: 0,
    });
  }
  for (const trace of after) {
    const known = places.get(at(trace)) ?? { store: trace.store, place: trace.place, before: 0 };
    places.set(at(trace), { ...known, after: trace.pointing, kept: trace.kept });
  }
  return [...places.values()].filter(({ before: had, after: has }) => had > 0 || has > 0);
}

export function sum(traces: readonly TraceStory[], what: 'before' | 'after' | 'kept'): number {
  return traces.reduce((total, trace) => total + trace[what], 0);
}
