import { api } from '@habeas/contract';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HOSTILE_NAMES } from '../../test/random-map.ts';
import { type AnswerContext, answersOf, type MapAnswers } from './answers.ts';
import { changesBetween } from './changes.ts';
import { createDeclarationCache, type NumberedDeclaration } from './declaration-cache.ts';
import type { Filter } from './filter.ts';
import { type KnownDeclaration, knownDeclaration } from './known-declaration.ts';
import { type MapAnswer, mapJson, mapView } from './map-answer.ts';
import type { SeenDeclaration } from './seen-declaration.ts';
import { createViewTemplates } from './view-templates.ts';

/** Seldom a strange one, so that what is said now and then is often about the same services. */
const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('orders', 'mailer') },
  { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_NAMES) },
);
const detail = fc.option(fc.constantFrom('eu', 'a"b', '30d'), { nil: undefined });
const details = { purpose: detail, subject: detail, retention: detail, region: detail };
const declaration = fc.oneof(
  fc.record({ kind: fc.constant('store' as const), team: name, service: name, dataType: name, ...details }),
  fc.record({
    kind: fc.constant('transmit' as const),
    team: name,
    service: name,
    toService: name,
    dataType: name,
    ...details,
  }),
);

/** What sources say, each thing made once, as a server remembers it. */
const remembered = fc
  .array(fc.tuple(declaration, fc.constantFrom('http://a/metrics', 'declarations "b"')), { maxLength: 12 })
  .map((said) => {
    const knowns = new Map<string, KnownDeclaration>();
    return said.map(([declaration, source], number): NumberedDeclaration => {
      const key = JSON.stringify(declaration);
      const known = knowns.get(key) ?? knownDeclaration(key, declaration);
      knowns.set(key, known);
      return { number, source, known };
    });
  });

const time = fc.integer({ min: Date.UTC(1990), max: Date.UTC(2090) });
const seen = fc.record({
  there: fc.boolean(),
  firstSeen: time,
  lastSeen: time,
  evidence: fc.constantFrom('observed' as const, 'declared' as const),
});
/** Which of at most twelve things are said at a moment, and since when. */
const moment = fc.array(seen, { minLength: 12, maxLength: 12 });

const filter = fc.record(
  {
    team: name,
    service: name,
    data_type: name,
    category: fc.constantFrom('user.name', 'user'),
    external: fc.constantFrom('true' as const, 'false' as const),
  },
  { requiredKeys: [], noNullPrototype: true },
);

function declaredAt(
  all: readonly NumberedDeclaration[],
  at: readonly (typeof seen extends fc.Arbitrary<infer Seen> ? Seen : never)[],
): readonly SeenDeclaration[] {
  const said = all.flatMap((one, index): (NumberedDeclaration & SeenDeclaration)[] => {
    const { there, ...times } = at[index] ?? { there: false };
    if (!there || !('evidence' in times)) return [];
    return [{ ...one, declaration: one.known.declaration, ...times }];
  });
  return [...createDeclarationCache().order(said)].flatMap((index) => said[index] ?? []);
}

const asked = { at: '2026-03-01T12:00:00.000Z', as_of: '2026-02-01T12:00:00.000Z', filter: { team: 'a"b' } };

function answerOf(answers: MapAnswers, wanted: Filter, changes: MapAnswer['changes']): MapAnswer {
  const teams = changes === null ? answers.teams(wanted) : null;
  return { asked, part: answers.part(wanted), changes, teams, context: answers.context };
}

it('is written the same, to the byte, as its views, whatever was written before of the same declarations', () => {
  const category = fc.constantFrom(undefined, 'user.name', 'user.contact');
  fc.assert(
    fc.property(
      remembered,
      fc.array(moment, { minLength: 2, maxLength: 3 }),
      filter,
      fc.array(name),
      category,
      (all, moments, wanted, external, found) => {
        const context: AnswerContext = {
          connections: [],
          categoryOf: (dataType) => (dataType === 'orders' ? undefined : found),
          external: new Set(external),
        };
        const templates = createViewTemplates(context);
        const [first, ...others] = moments.map((at) =>
          answersOf({ declarations: declaredAt(all, at), clients: [], sources: [] }, context),
        );
        if (first === undefined) return;
        const earlier = { at: new Date(0), edges: first.edges(wanted) };
        const written = [
          answerOf(first, wanted, null),
          ...others.map((answers) => {
            const later = { at: new Date(1_000), edges: answers.edges(wanted) };
            return answerOf(answers, wanted, changesBetween(earlier, later));
          }),
          answerOf(first, {}, null),
        ];
        for (const answer of written) {
          const view = mapView(answer);
          expect(mapJson(answer, templates).toString()).toBe(JSON.stringify(view));
          // In the order of the API, as it would be if it were checked on its way out.
          expect(JSON.stringify(api.mapSchema.parse(view))).toBe(JSON.stringify(view));
        }
      },
    ),
    { numRuns: 300 },
  );
});

it('gives a declaration that two answers know by different categories each its own', () => {
  const known = knownDeclaration('key', { kind: 'store', team: 't', service: 's', dataType: 'ip' });
  const said = { known, declaration: known.declaration, source: 'a', evidence: 'observed' as const };
  const snapshot = { declarations: [{ ...said, firstSeen: 0, lastSeen: 0 }], clients: [], sources: [] };
  const stores = ['user.name', 'user.contact'].map((category) => {
    const context = { connections: [], categoryOf: () => category, external: new Set<string>() };
    const answers = answersOf(snapshot, context);
    const json = mapJson(answerOf(answers, {}, null), createViewTemplates(context));
    return api.mapSchema.parse(JSON.parse(json.toString())).stores;
  });
  expect(stores).toMatchObject([[{ category: 'user.name' }], [{ category: 'user.contact' }]]);
});

it('follows a declaration that another source says too, and a receiver that is declared at one moment only', () => {
  const context = { connections: [], categoryOf: () => undefined, external: new Set<string>() };
  const templates = createViewTemplates(context);
  const flow = { kind: 'transmit' as const, team: 't', service: 'front', toService: 'lake', dataType: 'ip' };
  const lake = { kind: 'store' as const, team: 't', service: 'lake', dataType: 'ip' };
  const [sent, stored] = [knownDeclaration('flow', flow), knownDeclaration('store', lake)];
  const said = (known: KnownDeclaration, source: string) => ({
    ...{ known, declaration: known.declaration, source, evidence: 'observed' as const },
    ...{ firstSeen: 0, lastSeen: 0 },
  });
  const [alone, declared] = [[said(sent, 'a')], [said(stored, 'a'), said(sent, 'a')]];
  const written = [alone, declared, alone, [said(sent, 'a'), said(sent, 'b')]];
  for (const declarations of written) {
    const source = {
      kind: 'scrape' as const,
      version: 0,
      state: 'ok' as const,
      completeAt: null,
      error: null,
    };
    const sources = ['a', 'b'].map((name) => ({ ...source, source: name, warnings: [], configured: true }));
    const answer = answerOf(answersOf({ declarations, clients: [], sources }, context), {}, null);
    expect(mapJson(answer, templates).toString()).toBe(JSON.stringify(mapView(answer)));
  }
});
