import type { LiveColumn } from '../../sql/index.ts';

/** The longest text that Redshift has, in bytes; a `varchar` without a length has room for 256. */
export const LONGEST_TEXT = 65_535;
export const TEXT = `varchar(${LONGEST_TEXT})`;

/** Any value that Redshift can cast, as text. */
export function asText(sql: string): string {
  return `cast(${sql} as ${TEXT})`;
}

/** A column's value as people read it. */
export function print(column: LiveColumn, at: string): string {
  switch (column.baseType) {
    case 'character varying':
      return at;
    case 'boolean':
      // Redshift casts no boolean to a text.
      return `case when ${at} then 'true' when not ${at} then 'false' end`;
    case 'super':
      return `json_serialize(${at})`;
    case 'binary varying':
      return `from_varbyte(${at}, 'hex')`;
    case 'geometry':
    case 'geography':
      return `st_asewkt(${at})`;
    default:
      return asText(at);
  }
}

/** A text that {@link print} gave, or that {@link fitsColumn} let pass, as a value of the column. */
export function typed(sql: string, column: LiveColumn): string {
  switch (column.baseType) {
    case 'boolean':
      return `case when ${sql} = 'true' then true when ${sql} = 'false' then false end`;
    case 'super':
      return `json_parse(${sql})`;
    case 'binary varying':
      return `to_varbyte(${sql}, 'hex')`;
    default:
      return `cast(${sql} as ${column.type})`;
  }
}

/** A text in SQL. In Redshift a backslash in a text escapes what follows it, and there is no `E''` to say so. */
export function literal(text: string): string {
  const parts = text.split('\\').map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? `${parts[0]}` : `(${parts.join(' || chr(92) || ')})`;
}

export function isText({ category }: LiveColumn): boolean {
  return category === 'S';
}

const INTEGERS: Readonly<Record<string, bigint>> = { smallint: 15n, integer: 31n, bigint: 63n };

export function isInteger({ baseType }: LiveColumn): boolean {
  return baseType in INTEGERS;
}

const DECIMAL = /^-?(\d+)(?:\.(\d+))?$/;
const FLOAT = /^-?\d+(\.\d+)?([eE][-+]?\d{1,3})?$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const TIMESTAMP = /^(\d{4}-\d\d-\d\d)[ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$/;
const ZONE = /(Z|[-+](0\d|1[0-5])(:?[0-5]\d)?)$/;

/**
 * Whether a text is a value of the column: a cast that fails would end the transaction, and Redshift cuts off what is too long.
 * `rounded`: a number may lose digits behind the point.
 */
export function fitsColumn(column: LiveColumn, text: string, keeps: 'whole' | 'rounded'): boolean {
  const { baseType } = column;
  const bits = INTEGERS[baseType];
  if (bits !== undefined) return isBetween(text, -(2n ** bits), 2n ** bits - 1n);
  switch (baseType) {
    case 'character varying':
    case 'text':
      return fitsBytes(column, text);
    case 'character':
      return fitsBytes(column, text) && isAscii(text);
    case 'numeric':
      return fitsNumeric(column, text, keeps);
    case 'real':
    case 'double precision':
      return FLOAT.test(text) && Number.isFinite(Number(text));
    case 'boolean':
      return text === 'true' || text === 'false';
    case 'date':
      return DATE.test(text) && isDay(text);
    case 'timestamp without time zone':
      return TIMESTAMP.test(text) && isDay(text.slice(0, 10));
    case 'timestamp with time zone':
      return TIMESTAMP.test(text.replace(ZONE, '')) && isDay(text.slice(0, 10));
    case 'super':
      return isJson(text);
    case 'binary varying':
      return /^([0-9a-f]{2})*$/i.test(text);
    default:
      return false;
  }
}

/** Only the way in which Redshift prints a number: `007` is not the user 7. */
export function isBetween(text: string, least: bigint, most: bigint): boolean {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return false;
  const number = BigInt(text);
  return number >= least && number <= most;
}

function fitsBytes({ length }: LiveColumn, text: string): boolean {
  return Buffer.byteLength(text) <= (length ?? LONGEST_TEXT) && !text.includes('\0');
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

function fitsNumeric({ type }: LiveColumn, text: string, keeps: 'whole' | 'rounded'): boolean {
  const [, precision = '18', scale = '0'] = /\((\d+),\s*(\d+)\)/.exec(type) ?? [];
  const [, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return false;
  const digits = whole.replace(/^0+/, '').length;
  // One more digit may come of rounding.
  const room = Number(precision) - Number(scale) - (fraction.length > Number(scale) ? 1 : 0);
  return digits <= room && (keeps === 'rounded' || fraction.replace(/0+$/, '').length <= Number(scale));
}

/** 30 February is none. */
function isDay(text: string): boolean {
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text.slice(0, 10));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
