import { formatPlace } from '../../foundation/index.ts';
import type { ProjectFinding, ProjectReport } from '../check-project.ts';
import type { Paint } from './paint.ts';
import { count, printable } from './text.ts';

/** Findings as compilers print them, one line each, so that editors and terminals find the place. */
export function findingLines(findings: readonly ProjectFinding[], paint: Paint): readonly string[] {
  return findings.map(({ severity, code, message, place }) => {
    const tone = { error: paint.bad, warning: paint.warn, info: paint.quiet }[severity];
    return `${printable(formatPlace(place))}: ${tone(severity)}: ${printable(message)} (${code})`;
  });
}

/** What was looked at and how much was found. */
export function reportLine(
  { findings, connections, datasets, compared }: ProjectReport,
  paint: Paint,
): string {
  const of = (severity: ProjectFinding['severity']) =>
    findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [of('error'), of('warning')];
  const looked = `${count(connections, 'connection')}, ${count(datasets, 'dataset')}, ${compared} compared with the live schema`;
  const verdict = `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  return `${errors === 0 ? `${paint.good('✓')} ` : `${paint.bad('✗')} `}${paint.strong(verdict)} ${paint.quiet(`(${looked})`)}`;
}
