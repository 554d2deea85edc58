import { resolve } from 'node:path';
import {
  chooseTarget,
  countTakenAway,
  type InstallPlan,
  loadPurposes,
  openTarget,
  readTargetState,
  requirePostgres,
  rewriteSql,
  type SyncedTarget,
  targetsOf,
} from '../../consent/index.ts';
import { loadConfig } from '../../foundation/index.ts';
import { type CliContext, type ConfigOptions, print } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { readGiven } from '../read-given.ts';
import { explanationLines, installLines } from '../render/consent.ts';
import { readPlan, savePlan } from './saved-plan.ts';

export interface TargetOptions extends ConfigOptions {
  readonly target?: string;
}

export interface PlanOptions extends TargetOptions {
  readonly out?: string;
}

export interface RewriteOptions extends TargetOptions {
  readonly purpose: string;
  readonly explain?: true;
}

/** Ends with 1 if the target is not as the configuration says. */
export async function planTarget(context: CliContext, options: PlanOptions): Promise<ExitName> {
  const plan = await onTarget(context, options, async ({ target }, opened) => {
    const plan = await opened.plan(target);
    if (options.out !== undefined) savePlan(resolve(context.folder, options.out), target.key, plan);
    return plan;
  });
  printPlan(context, options, plan, 'planned');
  return plan.steps.length === 0 ? 'done' : 'failed';
}

/** Ends with 1 if something is left that a person has to look at. */
export async function installTarget(context: CliContext, options: TargetOptions): Promise<ExitName> {
  const plan = await onTarget(context, options, ({ target }, opened) => opened.apply(target));
  printPlan(context, options, plan, 'done');
  return plan.steps.some(({ action }) => action === 'unknown') ? 'failed' : 'done';
}

/** Does a saved plan, or nothing. */
export async function applyPlan(
  context: CliContext,
  file: string,
  options: ConfigOptions,
): Promise<ExitName> {
  const { target: key, fingerprint } = readPlan(readGiven(context, file), file);
  const plan = await onTarget(context, { ...options, target: key }, ({ target }, opened) =>
    opened.apply(target, { fingerprint }),
  );
  printPlan(context, options, plan, 'done');
  return plan.steps.some(({ action }) => action === 'unknown') ? 'failed' : 'done';
}

function printPlan(
  context: CliContext,
  options: ConfigOptions,
  { steps }: InstallPlan,
  how: 'planned' | 'done',
): void {
  print(context, options, {
    json: { items: steps.map(({ statements: _, ...step }) => step) },
    lines: () => installLines(steps, how),
  });
}

/** Prints the statement alone, so that it can be piped on; what is explained goes to standard error. */
export async function rewrite(context: CliContext, file: string, options: RewriteOptions): Promise<ExitName> {
  const sql = file === '-' ? await context.readInput() : readGiven(context, file);
  const { rewritten, counts } = await onTarget(context, options, async ({ target }, opened) => {
    const { pool, use } = requirePostgres(opened, target.key);
    const state = await use(() => readTargetState(pool, target));
    const rewritten = await rewriteSql(sql, { target, state, purpose: options.purpose });
    const { relations } = rewritten;
    const counts =
      options.explain === true
        ? await use((client) => countTakenAway(client, { target, state, relations }))
        : undefined;
    return { rewritten, counts };
  });
  if (options.json === true) {
    print(context, options, { json: { ...rewritten, counts: counts ?? null }, lines: () => [] });
    return 'done';
  }
  context.terminal.out(rewritten.sql.endsWith('\n') ? rewritten.sql : `${rewritten.sql}\n`);
  if (counts !== undefined) context.terminal.note(`${explanationLines(rewritten, counts).join('\n')}\n`);
  return 'done';
}

type Opened = ReturnType<typeof openTarget>;

/** Opens the target that the options name, or the only one, and closes it. */
export async function onTarget<Result>(
  { folder, environment }: CliContext,
  { config: file, target: key }: TargetOptions,
  work: (one: SyncedTarget, opened: Opened) => Promise<Result>,
): Promise<Result> {
  const config = loadConfig({ file, folder, environment, only: ['organization', 'consent'] });
  const { purposes } = config.consent;
  const loaded =
    purposes === undefined ? [] : loadPurposes(resolve(config.folder, purposes), purposes).purposes;
  const one = chooseTarget(targetsOf(config, loaded), key);
  const opened = openTarget({ key: one.target.key, url: one.url });
  try {
    return await work(one, opened);
  } finally {
    await opened.close();
  }
}
