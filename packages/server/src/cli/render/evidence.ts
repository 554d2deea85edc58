import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { retainedLines } from './receipt.ts';
import { type Column, table } from './table.ts';

/** What the counts of a kind of task say; the others count identities and packages. */
const TITLES: Partial<Record<api.TaskKind, string>> = {
  collect: 'COLLECTED',
  locate: 'KEYS',
  erase: 'ERASED',
  verify: 'LEFT',
  ticket: 'BY THE TEAM',
};

interface Row {
  readonly system: string;
  readonly collection: string;
  readonly counts: Map<api.TaskKind, number>;
}

/** What the tasks of a request brought back: a line for each collection, a column for each kind of task; then what was kept. */
export function evidenceLines(
  tasks: readonly api.TaskView[],
  options: { readonly width: number; readonly paint: Paint; readonly dryRun: boolean },
): readonly string[] {
  const { width, paint, dryRun } = options;
  const rows = new Map<string, Row>();
  for (const { kind, system, evidence } of tasks) {
    if (system === null || TITLES[kind] === undefined) continue;
    for (const [collection, count] of Object.entries(evidence?.counts ?? {})) {
      const key = JSON.stringify([system, collection]);
      const row = rows.get(key) ?? { system, collection, counts: new Map() };
      row.counts.set(kind, (row.counts.get(kind) ?? 0) + count);
      rows.set(key, row);
    }
  }
  const all = [...rows.values()].sort((a, b) => (a.system < b.system ? -1 : a.system > b.system ? 1 : 0));
  const kinds = (Object.keys(TITLES) as api.TaskKind[]).filter((kind) =>
    all.some((row) => row.counts.has(kind)),
  );
  const columns: Column<Row>[] = [
    { title: 'SYSTEM', value: (row) => row.system, flexible: true },
    { title: 'COLLECTION', value: (row) => row.collection, flexible: true },
    ...kinds.map(
      (kind): Column<Row> => ({
        title: dryRun && kind === 'erase' ? 'WOULD ERASE' : (TITLES[kind] ?? kind),
        value: (row) => row.counts.get(kind)?.toLocaleString('en-US') ?? '',
        align: 'right',
      }),
    ),
  ];
  const kept = retainedOf(tasks);
  return [
    ...(all.length === 0 ? [] : ['', ...table({ columns, rows: all, width, paint })]),
    ...(kept.length === 0 ? [] : ['', ...retainedLines(kept, width, paint)]),
  ];
}

type Retained = Parameters<typeof retainedLines>[0][number];

/** An erasure and the reading after it name the same kept rows; each is shown once. */
function retainedOf(tasks: readonly api.TaskView[]): readonly Retained[] {
  const kept = new Map<string, Retained>();
  for (const { system, evidence } of tasks) {
    for (const entry of evidence?.retained ?? []) {
      const named = { ...entry, system: system ?? 'Habeas' };
      kept.set(JSON.stringify([named.system, entry.collection, entry.reason]), named);
    }
  }
  return [...kept.values()];
}
