import type { CliContext } from '../context.ts';
import { type DemoCompany, startDemo } from '../demo/company.ts';
import {
  chapterTitle,
  dryRunScreen,
  endScreen,
  mapScreen,
  nextScreen,
  packageScreen,
  planScreen,
  receiptScreen,
  requestScreen,
  type Screen,
  tracesScreen,
} from '../demo/screens.ts';
import { judge } from '../demo/story.ts';
import { tellAccess, tellChoices, tellErasure, tellMap, tellReceipt } from '../demo/tell.ts';
import type { ExitName } from '../exit-code.ts';
import { liveArea } from '../live-area.ts';
import { wrap } from '../render/text.ts';
import { duration } from '../render/time.ts';
import { untilAborted } from '../until-aborted.ts';

export interface DemoOptions {
  readonly people: number;
  readonly port: number;
  readonly exit?: true;
  readonly json?: true;
}

/** The person of the story: an apostrophe in the address, a second address that one service alone knows, a shared home. */
const PERSON = 31;

export async function demo(context: CliContext, options: DemoOptions): Promise<ExitName> {
  const { terminal } = context;
  const started = performance.now();
  const company = await start(context, options, started);
  try {
    const { checks, json } = await tell(context, { options, company, started });
    const held = checks.every((check) => check.held);
    if (options.json === true) terminal.out(`${JSON.stringify(json, null, 2)}\n`);
    if (options.exit !== true) {
      if (options.json !== true) {
        const { url, key } = company;
        // Somebody who is still there.
        const { email } = company.company.subject((PERSON + 1) % options.people);
        const { mailsUrl } = company.company;
        terminal.out(`${nextScreen({ url, key, email, mailsUrl }, screenOf(context)).join('\n')}\n`);
      }
      await untilAborted(context.signal);
    }
    return held ? 'done' : 'failed';
  } finally {
    await company.close();
  }
}

function screenOf({ terminal, paint }: CliContext): Screen {
  return { width: terminal.width, paint };
}

/** Starts everything, and says what is waited for. */
async function start(context: CliContext, options: DemoOptions, started: number): Promise<DemoCompany> {
  const { terminal, paint } = context;
  const area = terminal.interactive && options.json !== true ? liveArea(terminal) : undefined;
  const told: string[] = [];
  const draw = (last: string) => area?.draw([...told, last]);
  let now = '';
  // In place for a person; elsewhere a line of its own on standard error, which a program may pass over.
  const tell = (line: string) => {
    if (area === undefined && options.json !== true) terminal.note(`${line}\n`);
  };
  const company = await startDemo(context, {
    people: options.people,
    port: options.port,
    onPart: (part) => {
      now = `${paint.accent('▸')} starting ${part} …`;
      draw(now);
      tell(`starting ${part}`);
    },
    onProgress: (line) => {
      told.push(...wrap(line, terminal.width - 2).map((text) => paint.quiet(`  ${text}`)));
      draw(now);
      tell(`  ${line}`);
    },
  });
  const line = `${paint.good('✓')} PostgreSQL, 4 services with ${options.people.toLocaleString('en-US')} people, and Habeas run  ${paint.quiet(duration(performance.now() - started))}`;
  if (area !== undefined) draw(line);
  else if (options.json !== true) terminal.out(`${line}\n`);
  return company;
}

async function tell(
  context: CliContext,
  told: { readonly options: DemoOptions; readonly company: DemoCompany; readonly started: number },
) {
  const { options, company } = told;
  const screen = screenOf(context);
  const quiet = options.json === true;
  const show = (lines: readonly string[]) => {
    if (!quiet && lines.length > 0) context.terminal.out(`${lines.join('\n')}\n`);
  };
  const subject = company.company.subject(PERSON % options.people);
  const tellOptions = { demo: company, subject, quiet };

  show(chapterTitle(1, 'Where is personal data?', "read from the services' /metrics", screen));
  const choices = await tellChoices(tellOptions, options.people);
  const map = await tellMap(tellOptions);
  show(mapScreen(map, screen));

  show(chapterTitle(2, '“What do you have about me?”', subject.email, screen));
  const access = await tellAccess(context, tellOptions, (plan) => show([...planScreen(plan, screen), '']));
  show(['', ...requestScreen(access, screen), ...packageScreen(access, screen)]);

  show(chapterTitle(3, '“Erase me.”', subject.email, screen));
  const erasure = await tellErasure(context, tellOptions, {
    onPlan: (plan) => show([...planScreen(plan, screen), '']),
    onDryRun: (dry) => show([...dryRunScreen(dry, screen), ...requestScreen(dry.dryRun, screen), '']),
  });
  if (erasure.real !== undefined) show(['', ...requestScreen(erasure.real, screen)]);
  const receipt = await tellReceipt(context, tellOptions, erasure);
  show(['', ...tracesScreen(erasure, receipt?.view.receipt.retained ?? [], screen)]);

  if (receipt !== undefined) {
    show(chapterTitle(4, 'The receipt', receipt.view.receipt.request_id, screen));
    show(receiptScreen(receipt, screen));
  }

  const seconds = (performance.now() - told.started) / 1_000;
  const checks = judge({ person: subject.email, choices, map, access, erasure, receipt });
  show(endScreen(checks, seconds, screen));
  return {
    checks,
    json: {
      seconds: Number(seconds.toFixed(2)),
      held: checks.every((check) => check.held),
      checks,
      url: company.url,
      map: { services: map.map.services, holders: map.holders, gaps: map.map.gaps },
      access: { request: access.request, tickets: access.tickets, package: access.package },
      erasure: {
        request: erasure.real?.request ?? null,
        tickets: erasure.real?.tickets ?? [],
        dry_run: erasure.dryRun.request,
        stores: erasure.traces,
      },
      receipt:
        receipt === undefined
          ? null
          : { file: receipt.file, verified: receipt.verified, ...receipt.view.receipt },
    },
  };
}
