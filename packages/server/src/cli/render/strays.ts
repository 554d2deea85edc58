import { isUtf8 } from 'node:buffer';
import type { Dangling, Stray, StrayReport, SweptStore } from '../../connectors/index.ts';
import { paragraph } from './map.ts';
import type { Paint } from './paint.ts';
import { shellQuoted } from './shell-quoted.ts';
import { table } from './table.ts';

export interface StraysLook {
  /** In columns. */
  readonly width: number;
  readonly paint: Paint;
}

/** What a store has that no row names, what rows name that it does not have, and what could not be compared. */
export function strayReportLines(report: StrayReport, { width, paint }: StraysLook): readonly string[] {
  const { connection, kind, collections, rows, problems, remarks } = report;
  const counted = (text: string) => (/[1-9?]/.test(text) ? paint.bad(text) : text);
  return [
    `${paint.strong(connection)}  ${paint.quiet(kind)}`,
    ...(collections.length === 0
      ? []
      : table({
          indent: 2,
          width,
          paint,
          rows: collections,
          columns: [
            { title: 'COLLECTION', value: ({ collection }) => collection, flexible: true },
            { title: 'NAMES', align: 'right', value: ({ things }) => number(things) },
            { title: 'STRAYS', align: 'right', value: ({ strays }) => number(strays), paint: counted },
            { title: 'YOUNG', align: 'right', value: ({ young }) => number(young) },
          ],
        })),
    ...(rows.length === 0
      ? []
      : table({
          indent: 2,
          width,
          paint,
          rows,
          columns: [
            {
              title: 'ROWS OF',
              value: (row) => `${row.connection} ${row.collection}.${row.fields.join(', ')}`,
              flexible: true,
            },
            { title: 'VALUES', align: 'right', value: ({ values }) => number(values) },
            { title: 'DANGLING', align: 'right', value: ({ dangling }) => number(dangling), paint: counted },
          ],
        })),
    ...remarks.flatMap((text) => paragraph('  ', text, width, 2).map(paint.quiet)),
    ...problems.flatMap(({ message }) => paragraph(`  ${paint.bad('?')} `, message, width, 4)),
  ];
}

/** Not known: nothing that could be compared says so. */
function number(count: number | undefined): string {
  return count === undefined ? '?' : count.toLocaleString('en');
}

/** What became of unfinished files of our own. */
export function sweptLine({ connection, removed, left }: SweptStore): string {
  const stays = left === 0 ? '' : `; ${number(left)} stay, which a server writes or may write`;
  return `${connection}: ${number(removed)} unfinished files of ended processes were removed${stays}.`;
}

export function strayLine({ connection }: StrayReport, { collection, name }: Stray): string {
  return `stray     ${connection} ${collection}  ${shellQuoted(Buffer.from(name, 'latin1'))}`;
}

export function danglingLine({ connection, collection, values }: Dangling): string {
  const fields = Object.entries(values).map(
    ([field, value]) => `${field}=${shellQuoted(Buffer.from(value))}`,
  );
  return `dangling  ${connection} ${collection}  ${fields.join(' ')}`;
}

export function strayJson({ connection }: StrayReport, { collection, name }: Stray) {
  const bytes = Buffer.from(name, 'latin1');
  const encoded = isUtf8(bytes) ? {} : { bytes: bytes.toString('base64') };
  return { connection, collection, name: bytes.toString('utf8'), ...encoded };
}

/** `of`: the store whose thing it names. */
export function danglingJson({ connection: of }: StrayReport, { connection, collection, values }: Dangling) {
  return { of, connection, collection, values };
}
