import type { api } from '@habeas/contract';
import { gapLines } from './map.ts';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { count } from './text.ts';

/** A plan with every step and why it is there. */
export function planLines(plan: api.PlanView, width: number, paint: Paint): readonly string[] {
  return [
    planTitle(plan, paint),
    '',
    ...stepLines(plan, width, paint),
    ...keptLines(plan.kept, width, paint),
    ...(plan.gaps.length === 0 ? [] : ['', ...gapLines(plan.gaps, width, paint)]),
  ];
}

export function planTitle(plan: api.PlanView, paint: Paint): string {
  const systems = new Set(plan.tasks.flatMap((task) => (task.system === null ? [] : [task.system])));
  const what = `${plan.dry_run ? 'Dry run: ' : ''}${plan.lift === true ? 'end of ' : ''}${plan.right.replaceAll('_', ' ')}`;
  const named = what.slice(0, 1).toUpperCase() + what.slice(1);
  const title = `${named}: ${count(plan.tasks.length, 'step')} on ${count(systems.size, 'system')}`;
  return `${paint.strong(title)} ${paint.quiet(`plan ${plan.hash.slice(0, 12)}, policy ${plan.policy_version.slice(0, 12)}`)}`;
}

type PlannedTask = api.PlanView['tasks'][number];

/** The number of each step: one more than the highest of what it waits for. Steps of one number run side by side. */
export function stagesOf(
  tasks: readonly { readonly key: string; readonly depends_on: readonly string[] }[],
): ReadonlyMap<string, number> {
  const byKey = new Map(tasks.map((task) => [task.key, task]));
  const stages = new Map<string, number>();
  const stageOf = (key: string): number => {
    const known = stages.get(key);
    if (known !== undefined) return known;
    const task = byKey.get(key);
    // A plan has no cycles; the mark keeps a broken one from hanging the command.
    stages.set(key, 1);
    const stage = 1 + Math.max(0, ...(task?.depends_on ?? []).map(stageOf));
    stages.set(key, stage);
    return stage;
  };
  for (const { key } of tasks) stageOf(key);
  return stages;
}

function stepLines(plan: api.PlanView, width: number, paint: Paint): readonly string[] {
  const stages = stagesOf(plan.tasks);
  const rows = [...plan.tasks].sort((a, b) => (stages.get(a.key) ?? 0) - (stages.get(b.key) ?? 0));
  return table<PlannedTask>({
    columns: [
      { title: 'STEP', value: (task) => String(stages.get(task.key)), align: 'right' },
      { title: 'TASK', value: (task) => task.key, paint: paint.strong },
      { title: 'TEAM', value: (task) => task.team ?? '' },
      { title: 'WHY', value: (task) => task.explanation, flexible: true },
    ],
    rows,
    width,
    paint,
  });
}

/** What an erasure leaves, and why it may. */
export function keptLines(kept: api.PlanView['kept'], width: number, paint: Paint): readonly string[] {
  if (kept.length === 0) return [];
  return [
    '',
    ...table<api.PlanView['kept'][number]>({
      columns: [
        { title: 'KEPT', value: (entry) => `${entry.system}.${entry.collection}` },
        {
          title: 'BECAUSE',
          value: (entry) =>
            entry.legal_basis === null ? entry.reason : `${entry.reason} (${entry.legal_basis})`,
          flexible: true,
        },
        { title: 'UNTIL', value: (entry) => entry.until ?? 'not known' },
      ],
      rows: kept,
      width,
      paint,
    }),
  ];
}
