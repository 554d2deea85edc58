import type { api } from '@habeas/contract';
import { type Clock, type Database, HabeasError, shareReads } from '../foundation/index.ts';
import { type AnswerContext, type AnswersOptions, answersOf, type MapAnswers } from './answers.ts';
import { type Categories, createCategories } from './categories.ts';
import { changesBetween, type MapChanges } from './changes.ts';
import type { DataMap } from './data-map.ts';
import { type Filter, isByDataAlone } from './filter.ts';
import type { KnownClient } from './known-client.ts';
import { createDeclarationLoader } from './load-declarations.ts';
import { changesJson, type MapAnswer, mapJson, mapView, type WrittenMap } from './map-answer.ts';
import { nearestNames } from './nearest-names.ts';
import { type LoadSnapshotOptions, loadSnapshot, type MapSnapshot } from './snapshot.ts';
import { createSpareMemory } from './spare-memory.ts';
import { alertsOf } from './watch-alerts.ts';
import type { WatchedState } from './watch-store.ts';

export interface CreateAnswersOptions extends AnswerContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly organizationId: string;
  /** Names of the sources that the configuration names now. */
  readonly configured: () => ReadonlySet<string>;
  /** Called before each answer about a large map. (Default: none) */
  readonly beforeLargeAnswer?: (() => void) | undefined;
}

/** Declarations; the answers about so many take megabytes. */
const LARGE = 2_000;

export interface Answers
  extends Pick<
    DataMap,
    | 'map'
    | 'mapJson'
    | 'changesJson'
    | 'services'
    | 'gaps'
    | 'gapList'
    | 'holders'
    | 'reach'
    | 'paths'
    | 'impact'
    | 'impacts'
    | 'systems'
  > {
  clients(): Promise<readonly KnownClient[]>;
  /** Those of now, also what somebody approved. */
  allGaps(): Promise<readonly api.GapView[]>;
  /** What is worth telling to teams now. */
  watched(): Promise<WatchedState>;
}

/** The questions about the map, answered from what is stored. */
export function createAnswers(options: CreateAnswersOptions): Answers {
  const { db, clock, organizationId } = options;
  const loader = createDeclarationLoader();
  const categoriesOf = createCategories(options.categoryOf);
  const memory = createSpareMemory();
  let large = false;

  async function load(moments: Pick<LoadSnapshotOptions, 'moment' | 'compareTo' | 'differenceOnly'> = {}) {
    const configured = options.configured();
    return loadSnapshot(db, loader, { organizationId, configured, now: clock.now(), ...moments });
  }

  let last:
    | { readonly of: MapSnapshot['declarations']; readonly rest: string; readonly answers: MapAnswers }
    | undefined;

  const answersAt = (snapshot: MapSnapshot, moment: AnswersOptions['moment'] = 'now') =>
    answersOf(snapshot, { ...options, categoryOf: categoriesOf(snapshot.decisions).categoryOf, moment });

  /** Computed again only if something that is stored is another one. */
  function answersNow(snapshot: MapSnapshot): MapAnswers {
    const { declarations, sources, clients, loss, decisions } = snapshot;
    const rest = JSON.stringify([sources, clients, loss, [...decisions.byGap]]);
    if (last?.of !== declarations || last.rest !== rest) {
      last = { of: declarations, rest, answers: answersAt(snapshot) };
    }
    return last.answers;
  }

  /** Every plan and every call of a service asks; under load they share what is read. */
  const now = shareReads(async (): Promise<MapAnswers> => answersNow(await load()));

  /** What a question is about, and what every answer says about itself. */
  function read(query: Partial<api.MapQuery>) {
    const at = clock.now();
    const asOf = momentOf(query.as_of, at, 'as_of');
    const compareTo = momentOf(query.compare_to, at, 'compare_to');
    const { as_of: _, compare_to: __, group_by: ___, ...filter } = query;
    const asked = { at: at.toISOString(), as_of: (asOf ?? at).toISOString(), filter: present(query) };
    return { asked, filter, asOf, compareTo, moment: asOf ?? at };
  }

  /** The answers about the moment of a question. */
  async function ask(query: Partial<api.MapQuery>) {
    if (large) options.beforeLargeAnswer?.();
    const question = read(query);
    const { asOf, compareTo } = question;
    const snapshot = await load({ moment: asOf ?? 'now', compareTo });
    large = snapshot.declarations.length > LARGE;
    const answers = asOf === undefined ? answersNow(snapshot) : answersAt(snapshot, 'past');
    return { ...question, snapshot, answers };
  }

  return {
    services: async () => (await now()).services(),
    gaps: async () => (await now()).gaps(),
    systems: async () => (await now()).systems(),
    holders: async (dataType) => (await now()).holders(dataType),
    clients: async () => (await load()).clients,
    allGaps: async () => answersNow(await load()).allGaps(),

    async watched() {
      const snapshot = await load();
      const { clients, sources } = snapshot;
      return {
        version: JSON.stringify([
          sources.map(({ source, version, configured }) => [source, version, configured]),
          clients.map(({ id, state, stale }) => [id, state, stale]),
        ]),
        alerts() {
          const answers = answersAt(snapshot);
          const { categoryOf } = answers.context;
          return alertsOf({ edges: answers.edges(), systems: answers.systems(), clients, categoryOf });
        },
      };
    },

    map: async (query = {}) => mapView(await answerMap(query)),
    async mapJson(query = {}) {
      const answer = await answerMap(query);
      return lent(mapJson(answer, answer.templates, memory.take()));
    },

    async changesJson(query) {
      const { asked, changes, templates } = isByDataAlone(query)
        ? await askDifference(query)
        : await askBoth(query);
      if (changes === null) throw new HabeasError('INTERNAL', 'There is no moment to compare with.');
      return lent(changesJson({ asked, changes }, templates, memory.take()));
    },

    async gapList({ approved, ...query } = {}) {
      const { asked, answers, filter } = await ask(query);
      requireService(answers, filter.service);
      const items = [...(approved === 'true' ? answers.allGaps(filter) : answers.gaps(filter))];
      return { ...asked, counts: { gaps: items.length }, items };
    },

    async reach(direction, query) {
      const { asked, answers, filter } = await ask(query);
      const { service, ...rest } = { ...filter, service: query.service };
      requireService(answers, service);
      return { ...asked, service, direction, ...answers.reach(service, direction, rest) };
    },

    async paths({ from, to, max_hops: maxHops, limit, ...query }) {
      const { asked, answers, filter } = await ask(query);
      requireService(answers, from);
      requireService(answers, to);
      const found = answers.paths({ from, to, maxHops, limit }, filter);
      return { ...asked, from, to, max_hops: maxHops, limit, ...found };
    },

    async impact(query) {
      const { asked, answers, filter } = await ask(query);
      const { service, ...rest } = { ...filter, service: query.service };
      requireService(answers, service);
      return { ...asked, ...answers.impact(service, rest) };
    },

    async impacts(query = {}) {
      const { asked, answers, filter } = await ask(query);
      requireService(answers, filter.service);
      const items = answers.impacts(filter);
      return { ...asked, counts: { services: items.length }, items };
    },
  };

  /** Bytes that lie in the spare memory until they are released. */
  function lent(bytes: Buffer): WrittenMap {
    let held = true;
    return {
      bytes,
      release() {
        if (held) memory.give(bytes);
        held = false;
      },
    };
  }

  async function answerMap(query: Partial<api.MapQuery>): Promise<MapAnswer & Pick<Categories, 'templates'>> {
    const question = await ask(query);
    const { asked, answers, filter, snapshot } = question;
    const { context } = answers;
    const { templates } = categoriesOf(snapshot.decisions);
    const changes = changesOf(question);
    if (changes === null) requireService(answers, filter.service);
    const part = answers.part(filter);
    if (query.group_by !== 'team') return { asked, part, changes, teams: null, context, templates };
    const lists = { services: [], stores: [], flows: [] };
    return { asked, part: { ...part, ...lists }, changes, teams: answers.teams(filter), context, templates };
  }

  async function askBoth(query: Partial<api.MapQuery>) {
    const question = await ask(query);
    const { templates } = categoriesOf(question.snapshot.decisions);
    return { asked: question.asked, changes: changesOf(question), templates };
  }

  /** Without the map of either moment, of which nearly everything is the same. */
  async function askDifference(query: Partial<api.MapQuery>) {
    if (large) options.beforeLargeAnswer?.();
    const question = read(query);
    const { asOf, compareTo } = question;
    const snapshot = await load({ moment: asOf ?? 'now', compareTo, differenceOnly: true });
    return {
      asked: question.asked,
      changes: changesOf({ ...question, snapshot, answers: answersAt(snapshot) }),
      templates: categoriesOf(snapshot.decisions).templates,
    };
  }

  function changesOf(question: {
    readonly snapshot: MapSnapshot;
    readonly answers: MapAnswers;
    readonly filter: Filter;
    readonly moment: Date;
    readonly compareTo: Date | undefined;
  }): MapChanges | null {
    const { snapshot, answers, filter, moment, compareTo } = question;
    if (compareTo === undefined || snapshot.compared === undefined) return null;
    const others = answersAt({ ...snapshot, declarations: snapshot.compared });
    if (filter.service !== undefined && !others.has(filter.service)) requireService(answers, filter.service);
    const sides = [
      { at: moment, edges: answers.edges(filter) },
      { at: compareTo, edges: others.edges(filter) },
    ] as const;
    const [earlier, later] = compareTo < moment ? [sides[1], sides[0]] : sides;
    return changesBetween(earlier, later);
  }
}

/** A person who asks for "now" may have a clock that is a little ahead. */
const TOLERANCE_MILLISECONDS = 60_000;

function momentOf(text: string | undefined, now: Date, name: string): Date | undefined {
  if (text === undefined) return undefined;
  const moment = new Date(text);
  const ahead = moment.getTime() - now.getTime();
  if (ahead > TOLERANCE_MILLISECONDS) {
    throw new HabeasError(
      'BAD_INPUT',
      `${name} is ${moment.toISOString()}, and the server's clock says ${now.toISOString()}: nobody knows the map of a time to come. Ask for an earlier moment.`,
    );
  }
  return ahead > 0 ? now : moment;
}

function requireService(answers: MapAnswers, service: string | undefined): void {
  if (service === undefined || answers.has(service)) return;
  const near = nearestNames(service, answers.names());
  const hint =
    near.length > 0
      ? `Did you mean ${near.join(', ')}?`
      : 'GET /api/v1/services and `habeas map` list all of them.';
  throw new HabeasError('NOT_FOUND', `No service of this name is in the map of that moment. ${hint}`);
}

/** Without what was not asked for. */
function present(query: Partial<api.MapQuery>): api.MapQuery {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
}
