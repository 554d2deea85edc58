import { HabeasError } from '../foundation/index.ts';
import type { PolicyFinding } from './lint-rules.ts';
import { parsePolicy } from './policy.ts';

/** All that is wrong or doubtful in a policy file. */
export interface PolicyReport {
  /** null if the file cannot be used. */
  readonly version: string | null;
  readonly rules: number;
  readonly findings: readonly PolicyFinding[];
}

/** Looks at the text of a policy file; never throws for what is wrong in it. */
export function lintPolicy(text: string, file: string, now: Date): PolicyReport {
  try {
    const { version, rules, warnings } = parsePolicy(text, file, now);
    return { version, rules: rules.length, findings: warnings };
  } catch (error) {
    if (!(error instanceof HabeasError) || error.code !== 'POLICY_INVALID') throw error;
    const texts = error.details.length > 0 ? error.details : [error.message];
    return { version: null, rules: 0, findings: texts.map((line) => findingOf(line, file)) };
  }
}

/** A mistake as it is thrown begins with its place. */
function findingOf(line: string, file: string): PolicyFinding {
  const rest = line.startsWith(`${file}:`) ? line.slice(file.length + 1) : line;
  const [, row, column, message] = /^(\d+):(\d+): (.*)$/s.exec(rest) ?? [];
  if (message === undefined) return { severity: 'error', message: rest.trim(), place: { file } };
  return { severity: 'error', message, place: { file, line: Number(row), column: Number(column) } };
}
