import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { api } from '@habeas/contract';
import { parseTrust, verifyFile } from '../../audit/index.ts';
import type { CliContext } from '../context.ts';
import { follow } from '../follow.ts';
import { readPackage } from '../package-contents.ts';
import { savePackage } from '../save-package.ts';
import { type AnsweredTicket, answerTicket } from './answer-ticket.ts';
import type { DemoCompany } from './company.ts';
import type { ExampleSubject, ExampleTraces } from './example.ts';
import type {
  AccessStory,
  ChoicesStory,
  ErasureStory,
  MapStory,
  ReceiptStory,
  RequestStory,
} from './story.ts';
import { compareTraces } from './story.ts';

export interface TellOptions {
  readonly demo: DemoCompany;
  readonly subject: ExampleSubject;
  /** Shows nothing on the way. */
  readonly quiet: boolean;
}

/** Reads the services' metrics pages now, and the map through the API. */
export async function tellMap({ demo }: TellOptions): Promise<MapStory> {
  const report = await demo.server.map.poll();
  const [map, holders] = await Promise.all([demo.client.getMap(), demo.client.getHolders('email')]);
  return {
    map,
    holders,
    sourcesRead: report.sources.length,
    sourcesFailing: report.sources.filter(({ state }) => state !== 'ok').length,
  };
}

/** People whose choices are sent at once: well below what one call may bring. */
const PEOPLE_A_CALL = 2_000;

/** Brings what people agreed to before Habeas came, as any company does that had asked them already. */
export async function tellChoices({ demo }: TellOptions, people: number): Promise<ChoicesStory> {
  let [sent, stored, line] = [0, 0, 1];
  for (let first = 0; first < people; first += PEOPLE_A_CALL) {
    const numbers = Array.from({ length: Math.min(PEOPLE_A_CALL, people - first) }, (_, n) => first + n);
    const lines = demo.example.choicesOf(numbers);
    if (lines.length === 0) continue;
    const answer = await demo.client.importConsent(
      { name: 'acme', first_line: line },
      { body: Buffer.from(lines.join('\n')), type: 'application/x-ndjson' },
    );
    sent += lines.length;
    stored += answer.stored;
    line += lines.length;
  }
  return { sent, stored };
}

/** Makes a request through the API and sees it to its end; the team without a client answers its ticket itself. */
async function tellRequest(
  context: CliContext,
  { demo, subject, quiet }: TellOptions,
  ask: {
    readonly right: api.Right;
    readonly dryRun: boolean;
    readonly onPlan?: (plan: api.PlanView) => void;
  },
): Promise<RequestStory> {
  const made = await demo.client.createRequest(
    { right: ask.right, identities: [{ type: 'email', value: subject.email }], dry_run: ask.dryRun },
    randomUUID(),
  );
  ask.onPlan?.(
    await demo.client.previewPlan({ right: ask.right, identity_types: ['email'], dry_run: ask.dryRun }),
  );
  const tickets = new Map<string, AnsweredTicket>();
  const { snapshot, end } = await follow(context, demo.client, {
    requestId: made.id,
    quiet,
    waitForTickets: true,
    onSnapshot: async ({ tasks }) => {
      for (const task of tasks.filter(({ kind, state }) => kind === 'ticket' && state === 'waiting')) {
        if (tickets.has(task.id)) continue;
        const answered = await answerTicket(demo.client, task, {
          folder: demo.company.folderOf('analytics'),
          dryRun: ask.dryRun,
          handOver: join(demo.folder, 'events.jsonl'),
          signal: context.signal,
        });
        tickets.set(task.id, answered);
      }
    },
  });
  return {
    request: snapshot.request,
    plan: await demo.client.getPlan(made.id),
    tasks: snapshot.tasks,
    tickets: [...tickets.values()],
    trouble: end.exit === 'done' ? undefined : end.text,
  };
}

/** Asks for everything about the person, and saves and reads the package. */
export async function tellAccess(
  context: CliContext,
  options: TellOptions,
  onPlan: (plan: api.PlanView) => void,
): Promise<AccessStory> {
  const story = await tellRequest(context, options, { right: 'access', dryRun: false, onPlan });
  if (story.trouble !== undefined) return { ...story, package: undefined };
  const file = join(options.demo.folder, 'package.zip');
  await rm(file, { force: true });
  const saved = await savePackage(options.demo.client, story.request, file);
  return {
    ...story,
    package: { ...(await readPackage(file)), file: relative(context.folder, file), bytes: saved.bytes },
  };
}

/** Counts, erases, and looks into every store before and after. */
export async function tellErasure(
  context: CliContext,
  options: TellOptions,
  told: {
    readonly onPlan: (plan: api.PlanView) => void;
    readonly onDryRun: (story: Pick<ErasureStory, 'dryRun' | 'dryRunChangedNothing'>) => void;
  },
): Promise<ErasureStory> {
  const { demo, subject } = options;
  const traces: ExampleTraces = await demo.example.followTraces(demo.company, subject);
  const before = await traces.look();
  told.onPlan(await demo.client.previewPlan({ right: 'erasure', identity_types: ['email'], dry_run: false }));
  const dryRun = await tellRequest(context, { ...options, quiet: true }, { right: 'erasure', dryRun: true });
  const dryRunChangedNothing = JSON.stringify(await traces.look()) === JSON.stringify(before);
  told.onDryRun({ dryRun, dryRunChangedNothing });
  const isSafe = dryRun.trouble === undefined && dryRunChangedNothing;
  const real = isSafe ? await tellRequest(context, options, { right: 'erasure', dryRun: false }) : undefined;
  return { dryRun, dryRunChangedNothing, real, traces: compareTraces(before, await traces.look()) };
}

/** Gets the receipt, saves it with the keys that it is verified by, and verifies it; undefined when there is none, because the erasure did not end. */
export async function tellReceipt(
  context: CliContext,
  { demo }: TellOptions,
  erasure: ErasureStory,
): Promise<ReceiptStory | undefined> {
  if (erasure.real === undefined || erasure.real.trouble !== undefined) return undefined;
  const view = await demo.client.getReceipt(erasure.real.request.id);
  const file = join(demo.folder, 'receipt.json');
  const text = `${JSON.stringify(view, null, 2)}\n`;
  const keys = `${(await demo.verifierKeys()).join('\n')}\n`;
  const trustFile = join(demo.folder, 'trust.txt');
  await writeFile(file, text);
  await writeFile(trustFile, keys);
  const { verified } = verifyFile({ text, trust: parseTrust(keys) });
  return {
    view,
    file: relative(context.folder, file),
    trustFile: relative(context.folder, trustFile),
    verified,
  };
}
