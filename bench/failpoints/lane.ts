import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { api } from '@habeas/contract';
import { followTraces } from '../../examples/acme/traces.ts';
import { countEffects, type Made, madeTwice, readable, unended, waitForEnds } from '../aftermath.ts';
import { answerTickets, untilAnswered } from '../answer-tickets.ts';
import { type Company, openCompany } from '../company.ts';
import type { HabeasServer } from '../habeas-server.ts';
import { openSurroundings } from './surroundings.ts';

/** What a request of this right has to say besides. */
const DETAILS: { readonly [Right in api.Right]?: object } = {
  rectification: { changes: [{ target: 'user.name', to: 'Somebody Else' }] },
  objection: { purposes: ['marketing'] },
};
const PRELOAD = new URL('./preload.ts', import.meta.url);
const PATIENCE_MILLISECONDS = 180_000;
/** Long enough for all that a server does now and then, up to its reading of the map. */
const IDLE_MILLISECONDS = 8_000;
/** After its end: until all who are told of it know it. */
const TELLING_MILLISECONDS = 20_000;

export interface LaneOptions {
  readonly folder: string;
  readonly databaseUrl: (name?: string) => string;
  readonly name: string;
  /** Enough for a request at each of its failpoints. */
  readonly people: number;
}

/** A company with a server that can be killed at its failpoints, one request at a time. */
export interface Lane extends AsyncDisposable {
  /** Names of the failpoints that the server comes by without a request, such as looking for what is due. */
  noteIdle(): Promise<readonly string[]>;
  /** Names of the failpoints that a request of the right comes by. */
  note(right: api.Right): Promise<readonly string[]>;
  /**
   * One request, with the server killed at the first of these that it comes by and started again: which one, if it comes by any. What was
   * missed may come when nothing is asked for, or with a person whose mails are refused.
   */
  killAt(
    right: api.Right,
    names: readonly string[],
    missed?: 'next' | 'refused',
  ): Promise<string | undefined>;
  /** What went wrong with any of its requests. */
  violations(): Promise<readonly Violation[]>;
}

export interface Violation {
  /** Of the request that it is about; undefined: it is about no single one. */
  readonly right: api.Right | undefined;
  readonly text: string;
}

export async function openLane(options: LaneOptions): Promise<Lane> {
  const { folder, name, people } = options;
  mkdirSync(folder, { recursive: true });
  // What was opened last is closed first, also when the rest cannot be opened.
  await using opening = new AsyncDisposableStack();
  const surroundings = opening.use(await openSurroundings(folder));
  const company = await openCompany({
    folder,
    databaseUrl: options.databaseUrl,
    name,
    concurrency: 4,
    people,
    more: surroundings.config,
  });
  opening.defer(() => company.stop());
  const server = restarting(company, folder);
  opening.defer(() => server.end());
  const { client } = company;
  const team = answerTickets(company, surroundings);
  opening.defer(() => team.close());
  const made: Made[] = [];

  const left = Array.from({ length: people }, (_, n) => n);
  /** Each person asks once. The mail server refuses addresses with a space (mailsMissing): one person in twelve has such a one. */
  const takeSubject = (whom: 'next' | 'refused') => {
    const refused = left.findIndex((n) => company.acme.subject(n).email.includes(' '));
    const [n = 0] = left.splice(whom === 'refused' && refused > 0 ? refused : 0, 1);
    return company.acme.subject(n);
  };

  /** One request from its call to its end, whatever happens to the server meanwhile. */
  const finish = async (right: api.Right, whom: 'next' | 'refused' = 'next'): Promise<void> => {
    const subject = takeSubject(whom);
    const traces = await followTraces(company.acme, subject);
    const key = randomUUID();
    const identities = [{ type: 'email', value: subject.email }];
    const { id } = await untilAnswered(() =>
      client.createRequest({ right, identities, ...DETAILS[right] }, key),
    );
    const request = { id, right, traces, email: subject.email };
    made.push(request);
    const state = () => untilAnswered(() => client.getRequest(id));
    for (const end = Date.now() + PATIENCE_MILLISECONDS; Date.now() < end; await delay(20))
      if ((await state()).state === 'completed') break;
    const tasks = await untilAnswered(() => client.listTasks(id));
    for (const end = Date.now() + TELLING_MILLISECONDS; Date.now() < end; await delay(100))
      if ((await surroundings.untold({ made: request, tasks, client })).length === 0) break;
  };

  await server.ready();
  await company.mapped();
  const opened = opening.move();
  const noteWhile = async (work: () => Promise<void>): Promise<readonly string[]> => {
    rmSync(join(folder, 'noted'), { force: true });
    await server.order({ note: true });
    await work();
    await server.order({});
    const noted = join(folder, 'noted');
    return existsSync(noted) ? [...new Set(readFileSync(noted, 'utf8').trim().split('\n'))] : [];
  };
  return {
    noteIdle: () => noteWhile(() => delay(IDLE_MILLISECONDS)),
    note: (right) => noteWhile(() => finish(right)),
    async killAt(right, names, missed) {
      const killed = join(folder, 'killed');
      rmSync(killed, { force: true });
      await server.order({ kill: names });
      await finish(right, missed);
      const idle = missed === undefined ? 0 : IDLE_MILLISECONDS;
      for (const end = Date.now() + idle; Date.now() < end && !existsSync(killed); ) await delay(20);
      return existsSync(killed) ? readFileSync(killed, 'utf8') : undefined;
    },
    async violations() {
      await server.order({});
      const ids = made.map(({ id }) => id);
      const ended = await waitForEnds(company, ids);
      const effects = await countEffects(company, ended);
      const told: string[] = [];
      for (const [index, { tasks }] of ended.entries())
        told.push(...(await surroundings.wrong({ made: made[index] as Made, tasks, client })));
      const found = [
        ...ended.flatMap(unended),
        ...(await madeTwice(company, made)),
        ...effects.violations,
        ...(await readable(made)),
        ...new Set(told),
      ];
      const named = ended.flatMap(({ request: { id, right }, tasks }) =>
        [id, ...tasks.map((task) => task.id)].map((mention) => ({ mention, right })),
      );
      return found.map((violation) => ({
        right: named.find(({ mention }) => violation.includes(mention))?.right,
        text: `${name}: ${violation}`,
      }));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** A server that is started again whenever it is gone. */
function restarting(company: Company, folder: string) {
  let ended = false;
  const preload = new URL(PRELOAD);
  preload.searchParams.set('folder', folder);
  const start = () => company.start(['--import', preload.href]);
  let server: HabeasServer = start();
  const live = async (): Promise<void> => {
    while (!ended) {
      await server.gone;
      if (!ended) server = start();
    }
  };
  const living = live();
  return {
    ready: () => server.ready,
    /** Gives the server its orders and waits until it, or the one after it, has read them. */
    async order(orders: { readonly kill?: readonly string[]; readonly note?: boolean }): Promise<void> {
      const read = join(folder, 'orders-read.json');
      rmSync(read, { force: true });
      writeFileSync(join(folder, 'orders.json'), JSON.stringify(orders));
      const end = Date.now() + PATIENCE_MILLISECONDS;
      for (let asked: HabeasServer | undefined; !existsSync(read); await delay(5)) {
        if (Date.now() > end) throw new Error('the server does not read its orders');
        if (asked === server) continue;
        // It reads them when it starts, too; one that is being killed does not read them any more.
        asked = server;
        await asked.ready.catch(() => undefined);
        if (asked === server && !existsSync(read)) process.kill(asked.pid, 'SIGUSR2');
      }
    },
    async end(): Promise<void> {
      ended = true;
      await server.end('SIGTERM');
      await living;
    },
  };
}
