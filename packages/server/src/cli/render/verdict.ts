import type { LogVerdict, Verdict } from '../../audit/index.ts';
import type { Paint } from './paint.ts';
import { count } from './text.ts';

/** What was looked at offline, line by line, and what follows. */
export function verdictLines({ checks, verified }: Verdict, paint: Paint): readonly string[] {
  return [
    ...checks.map(({ check, holds, text }) => `${mark(holds, paint)} ${check}: ${text}`),
    paint.strong(verified ? 'Verified.' : 'NOT verified.'),
  ];
}

/** What a look at the whole log gave. */
export function logVerdictLines({ entries, signed, fault }: LogVerdict, paint: Paint): readonly string[] {
  if (fault === undefined) {
    return [
      `${mark(true, paint)} ${count(entries, 'entry', 'entries')} recomputed; the tree, its tiles and the checkpoint over ${signed} are right.`,
    ];
  }
  return [`${mark(false, paint)} ${fault.what}: ${fault.text}`, `  The ${entries} before it are right.`];
}

function mark(holds: boolean, paint: Paint): string {
  return holds ? paint.good('✓') : paint.bad('✗');
}
