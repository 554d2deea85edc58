import type { InstallStep, RewrittenSql, TakenAway } from '../../consent/index.ts';

const DID = {
  make: 'made',
  replace: 'replaced',
  remove: 'removed',
  restore: 'put right',
  unknown: 'UNKNOWN',
};
const WILL = {
  make: 'make',
  replace: 'replace',
  remove: 'remove',
  restore: 'put right',
  unknown: 'UNKNOWN',
};

/** What a plan has to do, or did. */
export function installLines(
  steps: readonly Omit<InstallStep, 'statements'>[],
  how: 'planned' | 'done',
): readonly string[] {
  if (steps.length === 0) return ['nothing to do: the target is as the configuration says'];
  const words = how === 'planned' ? WILL : DID;
  return steps.map(({ action, kind, name, why }) => `${words[action].padEnd(9)}  ${kind} ${name}: ${why}`);
}

/** How each table was narrowed, and what each purpose takes away from it. */
export function explanationLines(
  { relations, purpose }: RewrittenSql,
  counts: readonly TakenAway[],
): readonly string[] {
  if (relations.length === 0) return ['no table with rows of people is read'];
  return relations.flatMap(({ schema, name, form, why }) => {
    const found = counts.find((one) => one.schema === schema && one.name === name);
    const taken = Object.entries(found?.taken ?? {}).map(
      ([code, rows]) =>
        `  ${code === purpose ? '*' : ' '} ${code}: takes away ${rows.toLocaleString('en')} of ${(found?.rows ?? 0).toLocaleString('en')} rows`,
    );
    return [`${schema}.${name}: ${form}, because ${why}`, ...taken];
  });
}
