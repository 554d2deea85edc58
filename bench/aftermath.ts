import { setTimeout as delay } from 'node:timers/promises';
import type { api } from '@habeas/contract';
import type { Traces } from '../examples/acme/traces.ts';
import type { Company } from './company.ts';

const PATIENCE_MILLISECONDS = 180_000;

/** A request that was made, and where the person was before. */
export interface Made {
  readonly id: string;
  readonly right: api.Right;
  readonly traces: Traces;
  /** By which they asked. */
  readonly email: string;
}

/** A request when it was looked at last. */
export interface Ended {
  readonly request: api.RequestView;
  readonly tasks: readonly api.TaskView[];
}

/** Waits until all are completed, or patience ends. */
export async function waitForEnds(company: Company, ids: readonly string[]): Promise<readonly Ended[]> {
  const open = new Set(ids);
  for (const end = Date.now() + PATIENCE_MILLISECONDS; open.size > 0 && Date.now() < end; await delay(500)) {
    for (const id of open) if ((await company.client.getRequest(id)).state === 'completed') open.delete(id);
  }
  const ended: Ended[] = [];
  for (const id of ids)
    ended.push({ request: await company.client.getRequest(id), tasks: await company.client.listTasks(id) });
  return ended;
}

/** A call that was made again under its key must not have made a second request. */
export async function madeTwice(company: Company, made: readonly Made[]): Promise<readonly string[]> {
  const known = new Set(made.map(({ id }) => id));
  const violations = known.size < made.length ? ['two calls with different keys made one request'] : [];
  let cursor: string | undefined;
  do {
    const page = await company.client.listRequests({ limit: 100, cursor });
    for (const { id } of page.items) if (!known.has(id)) violations.push(`${id} was made by nobody's answer`);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return violations;
}

/** What keeps a request from its end, in words. */
export function unended({ request, tasks }: Ended): readonly string[] {
  if (request.state === 'completed') return [];
  const open = tasks.filter(({ state }) => !['succeeded', 'skipped', 'pending'].includes(state));
  return [
    `${request.id} (${request.right}) is ${request.state}: ${open.map(({ key, state, error }) => `${key} ${state} ${error?.code ?? ''}`).join(', ')}`,
  ];
}

/** Every erasure that found the person has one effect under its key in the service's own journal: none missing, none twice. */
export async function countEffects(company: Company, ended: readonly Ended[]) {
  const violations: string[] = [];
  let counted = 0;
  for (const service of ['accounts', 'mailer'] as const) {
    const journal = Map.groupBy(
      company.acme.effectsOf(service).filter(({ count }) => count > 0),
      ({ idempotencyKey }) => idempotencyKey,
    );
    for (const [key, effects] of journal) {
      counted += effects.length;
      if (effects.length > 1) violations.push(`${service} applied ${key} ${effects.length} times`);
    }
    const tasksOfJournal = new Set([...journal.keys()].map((key) => key.split('.')[0]));
    if (tasksOfJournal.size < journal.size) violations.push(`${service} has one task under two keys`);
    for (const { tasks } of ended) {
      const task = tasks.find(({ key }) => key === `erase:${service}`);
      if (task?.state !== 'succeeded' || task.evidence?.matched !== true) continue;
      if (!journal.has(`${task.id}.1`))
        violations.push(`${service} has no effect of ${task.id}, which succeeded`);
    }
  }
  return { violations, counted };
}

/** Looks into every store itself. Who asked for access only must still be there. */
export async function readable(made: readonly Made[]): Promise<readonly string[]> {
  const violations: string[] = [];
  for (const { id, right, traces } of made) {
    const pointing = (await traces.look()).filter((trace) => trace.pointing > 0);
    const places = pointing
      .map(({ store, place, pointing: rows }) => `${rows} in ${store} ${place}`)
      .join(', ');
    if (right === 'erasure' && pointing.length > 0)
      violations.push(`${id} is an erasure, and there are still ${places}`);
    if (right !== 'erasure' && pointing.length === 0)
      violations.push(`${id} asked for ${right}, and the person is gone`);
  }
  return violations;
}
