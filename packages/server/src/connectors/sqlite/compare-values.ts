import type { Comparison, LiveColumn, ValuesToCompare } from '../sql/index.ts';
import { affinityOf } from './affinity.ts';
import { decoded, decodedText } from './stored-keys.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX = /^\\x([0-9a-f]{2})*$/i;
const INTEGER = /^(0|-?[1-9]\d{0,18})$/;
const DECIMAL = /^-?(0|[1-9]\d*)\.\d*[1-9]$/;
const LARGEST_INTEGER = 2n ** 63n - 1n;

/** Compares by the storage classes that the column can have, so that `007` is not the user 7, whatever SQLite would make of it. */
export function compareWithValues({
  column,
  values,
  match,
  spelled,
}: ValuesToCompare): Comparison | undefined {
  const candidates = values.flatMap((value) => candidatesOf(column, value));
  if (candidates.length === 0) return undefined;
  const given = [JSON.stringify(candidates)];
  if (spelled !== undefined && affinityOf(column.type) === 'text')
    return {
      values: given,
      sql: (at) =>
        `(${spelled(at)} collate binary in (select ${spelled(decodedText('value'))} from json_each($1)) and ${isWhole(at)})`,
    };
  if (match === 'case-insensitive' && affinityOf(column.type) === 'text')
    return {
      values: given,
      sql: (at) => `habeas_fold(${at}) in (select habeas_fold(${decodedText('value')}) from json_each($1))`,
    };
  // The column's own collation decides about its index, and may find more than it should.
  return {
    values: given,
    sql: (at) => {
      const list = `(select ${decoded('value')} from json_each($1))`;
      return `(${at} in ${list} and ${at} collate binary in ${list})`;
    },
  };
}

/** SQLite takes apart what stands before a character U+0000 and drops what is behind it: such a text is nobody's address. */
function isWhole(at: string): string {
  return `instr(${at}, char(0)) = 0`;
}

/** What the column would hold for an identity value, as tagged texts. */
function candidatesOf({ type }: LiveColumn, value: string): readonly string[] {
  const affinity = affinityOf(type);
  const integer = isInteger(value) ? [`i${value}`] : [];
  const text = [`t${value}`];
  if (affinity === 'text') return text;
  if (affinity === 'blob') return [...text, ...integer, ...bytesOf(value)];
  if (integer.length > 0) return integer;
  if (affinity !== 'integer' && DECIMAL.test(value)) return [`r${value}`];
  // What looks like a number in another way is no number, and would be taken for one.
  return /^\s*[-+.\d]*\d/.test(value) && Number.isFinite(Number(value)) ? [] : text;
}

function isInteger(value: string): boolean {
  if (!INTEGER.test(value)) return false;
  const number = BigInt(value);
  return number <= LARGEST_INTEGER && number >= -LARGEST_INTEGER - 1n;
}

function bytesOf(value: string): readonly string[] {
  if (UUID.test(value)) return [`b${value.replaceAll('-', '')}`];
  return HEX.test(value) ? [`b${value.slice(2)}`] : [];
}
