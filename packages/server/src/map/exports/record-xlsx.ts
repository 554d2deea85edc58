import type { api } from '@habeas/contract';
import { dataRows, MISSING, RECORD_DATA_HEAD, textOf } from './record-csv.ts';
import type { RecordField } from './record-fields.ts';
import type { RecordEntry, RecordTable } from './record-table.ts';
import { stampLines } from './stamp-lines.ts';
import { type Cell, type Sheet, workbook } from './xlsx.ts';

const WIDTHS = [34, 20, 60, 22, 28, 18, 18, 18, 18, 14, 12, 24, 24, 30];

/** The record as a workbook: a sheet with the organization and the list of activities, then one sheet for each activity. */
export function recordXlsxOf(stamp: api.ExportStamp, table: RecordTable): AsyncIterable<Buffer> {
  return workbook([listSheet(stamp, table), ...table.entries.map((entry) => entrySheet(entry))]);
}

function listSheet(stamp: api.ExportStamp, table: RecordTable): Sheet {
  return {
    name: 'Record',
    widths: [34, 20, 60, 16, 16],
    *rows() {
      yield [{ text: table.title, style: 'title' }];
      for (const text of stampLines(stamp)) yield [{ text, style: 'quiet' }];
      yield [];
      yield* fieldRows(table.organization);
      yield [];
      yield head([
        'Activity',
        'Data types',
        table.entries[0]?.fields[0]?.label ?? 'Purposes',
        'Services',
        'Missing',
      ]);
      for (const entry of table.entries) {
        const missing = entry.fields.filter((field) => field.missing !== undefined).length;
        yield [
          { text: entry.name, style: 'label' },
          { text: String(new Set(entry.holdings.map(({ data_type: type }) => type)).size) },
          { text: entry.fields[0] === undefined ? '' : textOf(entry.fields[0], '; ') },
          { text: String(new Set(entry.holdings.map(({ service }) => service)).size) },
          missing === 0 ? { text: 'nothing' } : { text: String(missing), style: 'missing' },
        ];
      }
      if (table.entries.length === 0)
        yield [{ text: `${MISSING}: write them in record.yaml`, style: 'missing' }];
    },
  };
}

function entrySheet(entry: RecordEntry): Sheet {
  return {
    name: entry.name,
    widths: WIDTHS,
    *rows() {
      yield [{ text: entry.name, style: 'title' }];
      yield [];
      yield* fieldRows(entry.fields);
      yield [];
      yield head(RECORD_DATA_HEAD);
      for (const cells of dataRows(entry)) yield cells.map((text) => ({ text }));
    },
  };
}

function* fieldRows(fields: readonly RecordField[]): Iterable<readonly Cell[]> {
  yield head(['What', 'Rule', 'Answer']);
  for (const field of fields) {
    const text = textOf(field, '\n');
    yield [
      { text: field.label, style: 'label' },
      { text: field.rule },
      field.missing !== undefined ? { text, style: 'missing' } : { text: text === '' ? '–' : text },
    ];
  }
}

function head(texts: readonly string[]): readonly Cell[] {
  return texts.map((text) => ({ text, style: 'head' }));
}
