import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fixedClock } from '../foundation/index.ts';
import type { Connector, Evidence, LocatedScope, Residual } from './connector.ts';
import { checkResiduals, namedResiduals, nameResiduals, OWN_COPIES } from './name-residuals.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const ERASED = { isErased: true, now: NOW };
const WAL: Residual = { what: 'The write-ahead log.', until: null, copy: 'write-ahead-log' };
const BINLOG: Residual = { what: 'The binary log.', until: '2026-01-11T00:00:00.000Z', copy: 'binary-log' };
const counts = { customers: 1 };
const never = { until: null };
const days = (count: number) => count * 86_400_000;

describe('residuals', () => {
  test('that the store dates by its own settings keep their date, and the configuration dates the others', () => {
    const configured = [
      { copy: 'write-ahead-log', for: days(7), ...never },
      { copy: 'binary-log', for: days(1), ...never },
    ];
    expect(namedResiduals([WAL, BINLOG], configured, ERASED)).toEqual([
      { ...WAL, until: '2026-01-08T00:00:00.000Z' },
      BINLOG,
    ]);
  });

  test('of the configuration stand beside those of the store, and a copy that is not there is not told', () => {
    const configured = [
      { what: 'Nightly backups', for: days(30), ...never },
      { what: 'A tape', until: '2030-01-31' },
      { copy: 'archive', for: days(7), ...never },
    ];
    expect(namedResiduals([WAL], configured, ERASED)).toEqual([
      WAL,
      { what: 'Nightly backups', until: '2026-01-31T00:00:00.000Z' },
      { what: 'A tape', until: '2030-01-31' },
    ]);
    expect(namedResiduals([], configured, { ...ERASED, isErased: false })).toEqual([]);
  });

  test('of a copy can be put in the words of the company', () => {
    const configured = [{ copy: 'write-ahead-log', what: 'Our log', for: days(1), ...never }];
    expect(namedResiduals([WAL], configured, ERASED)).toEqual([
      { ...WAL, what: 'Our log', until: '2026-01-02T00:00:00.000Z' },
    ]);
  });

  test('of a copy that the kind does not have stop the server, with the names of those that it has', () => {
    const config = {
      key: 'shop',
      team: 'shop',
      url: '',
      datasets: ['shop.yml'],
      residuals: [{ copy: 'wal', ...never }],
    };
    expect(() => checkResiduals({ ...config, kind: 'postgres' })).toThrow(
      /shop.*"wal".*write-ahead-log, archive/s,
    );
    expect(() => checkResiduals({ ...config, kind: './wiki.ts' })).toThrow(/names none/);
  });
});

test('erasures of a connector tell what the configuration says, also of one that is a class; dry runs do not', async () => {
  class Own {
    readonly #evidence: Evidence = { matched: true, counts, retained: [], residuals: [WAL], notes: [] };
    readonly capabilities = new Set<never>();
    erase() {
      return Promise.resolve({ state: 'done' as const, evidence: this.#evidence });
    }
    check() {
      return Promise.resolve({ ok: this.#evidence.matched, message: '', problems: [] });
    }
  }
  const own = new Own() as unknown as Connector;
  const residuals = [{ copy: 'write-ahead-log', for: days(7), ...never }];
  const connector = nameResiduals(own, { residuals }, fixedClock(NOW.toISOString()));
  const erased = await connector.erase({} as LocatedScope, 'erase');
  expect(erased).toMatchObject({ evidence: { residuals: [{ until: '2026-01-08T00:00:00.000Z' }] } });
  expect(await connector.erase({} as LocatedScope, 'dry-run')).toMatchObject({
    evidence: { residuals: [WAL] },
  });
  expect(await connector.check()).toMatchObject({ ok: true });
  expect(nameResiduals(own, {}, fixedClock(NOW.toISOString()))).toBe(own);
});

test('the names of copies are those of the documentation', () => {
  const page = readFileSync(new URL('../../../../docs/operate.md', import.meta.url), 'utf8');
  const [, section = ''] = page.split('## Copies that end later');
  for (const [kind, copies] of Object.entries(OWN_COPIES))
    expect(section).toContain(`| \`${kind}\` | ${copies.map((copy) => `\`${copy}\``).join(', ')} |`);
});

test('a retry that finds nothing any more tells the copies of what the attempt before it may have erased', async () => {
  const evidence: Evidence = { matched: false, counts: {}, retained: [], residuals: [], notes: [] };
  const own = { erase: async () => ({ state: 'done', evidence }) } as unknown as Connector;
  const residuals = [{ what: 'Nightly backups', for: days(30), ...never }];
  const connector = nameResiduals(own, { residuals }, fixedClock(NOW.toISOString()));
  const told = async (scope: Partial<LocatedScope>) => {
    const outcome = await connector.erase(scope as LocatedScope, 'erase');
    return outcome.state === 'done' ? outcome.evidence.residuals.map(({ what }) => what) : outcome;
  };
  const keys = async function* () {
    yield { collection: 'customers', columns: ['id'], count: 1, keys: ['1'] };
  };
  const none = async function* () {
    yield* [];
  };
  expect(await told({ unanswered: true, keys })).toEqual(['Nightly backups']);
  expect(await told({ unanswered: true, keys: none })).toEqual([]);
  expect(await told({ keys })).toEqual([]);
});
