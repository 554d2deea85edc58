import type { api } from '@habeas/contract';
import { csvLine } from '../../foundation/index.ts';
import type { RecordField } from './record-fields.ts';
import type { RecordEntry, RecordTable } from './record-table.ts';
import { stampLines } from './stamp-lines.ts';

/** What a cell begins with that has to be filled; the same in CSV and XLSX. */
export const MISSING = 'MISSING';

const DATA_HEAD = [
  'Service',
  'Team',
  'Sent to',
  'Data type',
  'Category',
  'Sensitive',
  'Purpose',
  'Subject',
  'Retention',
  'Region',
  'Evidence',
  'First seen',
  'Last seen',
  'Source',
] as const;

/**
 * The record as one table: first lines about the export and the organization, then for each activity a line with its answers and
 * a line for each thing that a service stores or sends.
 */
export function* recordCsvOf(stamp: api.ExportStamp, table: RecordTable): Iterable<string> {
  const labels = [...new Set(table.entries.flatMap(({ fields }) => fields.map(({ label }) => label)))];
  const width = 2 + labels.length + DATA_HEAD.length;
  const pad = (cells: readonly string[]) => csvLine([...cells, ...new Array(width - cells.length).fill('')]);
  yield pad(['row', 'name', ...labels, ...DATA_HEAD]);
  for (const line of [table.title, ...stampLines(stamp)]) yield pad(['about', line]);
  for (const field of table.organization)
    yield pad(['organization', `${field.label}: ${textOf(field, '; ')}`]);
  for (const entry of table.entries) {
    const answers = labels.map((label) => {
      const field = entry.fields.find((candidate) => candidate.label === label);
      return field === undefined ? '' : textOf(field, '; ');
    });
    yield pad(['activity', entry.name, ...answers]);
    const none = labels.map(() => '');
    for (const cells of dataRows(entry)) yield csvLine(['data', entry.name, ...none, ...cells]);
  }
}

/** Values, and what is missing. */
export function textOf(field: RecordField, separator: string): string {
  const missing = field.missing === undefined ? [] : [`${MISSING}: ${field.missing}`];
  return [...field.values, ...missing].join(separator);
}

export const RECORD_DATA_HEAD: readonly string[] = DATA_HEAD;

/** What an entry covers of the map, a row each. */
export function* dataRows({ holdings }: RecordEntry): Iterable<readonly string[]> {
  for (const holding of holdings)
    yield [
      holding.service,
      holding.team,
      holding.to ?? '',
      holding.data_type,
      holding.category ?? '',
      holding.sensitivity ?? '',
      holding.purpose ?? '',
      holding.subject ?? '',
      holding.retention ?? '',
      holding.region ?? '',
      holding.evidence,
      holding.first_seen,
      holding.last_seen,
      holding.source,
    ];
}
