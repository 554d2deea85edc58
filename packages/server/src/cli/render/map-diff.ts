import { diffSummary, type ExportChange, type MapDiff } from '../../map/index.ts';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { count } from './text.ts';
import { shortTime } from './time.ts';

interface DiffOptions {
  readonly diff: MapDiff;
  /** Changes that `--fail-on` names. */
  readonly forbidden: readonly ExportChange[];
  readonly width: number;
  readonly paint: Paint;
}

/** What changed in the map, those first that fail. */
export function mapDiffLines({ diff, forbidden, width, paint }: DiffOptions): readonly string[] {
  const { before, after, services, changes } = diff;
  const between = paint.quiet(`from ${shortTime(before.as_of)} to ${shortTime(after.as_of)} UTC`);
  const list = (word: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${count(names.length, 'service')} ${word}: ${names.join(', ')}`];
  return [
    `${paint.strong(diffSummary(diff))} ${between}`,
    ...list('new', services.added),
    ...list('gone', services.removed),
    ...(changes.length === 0 ? [] : ['', ...changeLines({ changes, forbidden, width, paint })]),
    ...(forbidden.length === 0
      ? []
      : ['', paint.warn(`${count(forbidden.length, 'change')} not allowed (!)`)]),
  ];
}

const WORDS = { added: 'new', removed: 'gone', changed: 'changed' } as const;

function changeLines(options: {
  readonly changes: readonly ExportChange[];
  readonly forbidden: readonly ExportChange[];
  readonly width: number;
  readonly paint: Paint;
}): readonly string[] {
  const { changes, forbidden, width, paint } = options;
  const isForbidden = new Set(forbidden);
  return table<ExportChange>({
    columns: [
      {
        title: '',
        value: (change) => `${isForbidden.has(change) ? '! ' : ''}${WORDS[change.change]}`,
        paint: (text, change) => (isForbidden.has(change) ? paint.warn(text) : text),
      },
      { title: 'SERVICE', value: ({ service }) => service, flexible: true },
      { title: 'TO', value: ({ to }) => to ?? '(stores)', flexible: true },
      { title: 'DATA TYPE', value: (change) => change.data_type, flexible: true },
      { title: 'CATEGORY', value: categoryText, flexible: true },
      {
        title: 'WHY',
        value: ({ sensitivity, external }) =>
          [sensitivity, external ? 'leaves' : null].filter((note) => note !== null).join(', '),
      },
    ],
    rows: changes,
    width,
    paint,
  });
}

function categoryText({ change, category, was }: ExportChange): string {
  return change === 'changed' && was !== category
    ? `${was ?? 'none'} → ${category ?? 'none'}`
    : (category ?? 'none');
}
