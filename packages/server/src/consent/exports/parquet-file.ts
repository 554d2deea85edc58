import { ThriftStruct, TYPE, writeThrift } from '../../connectors/index.ts';

/** Values of one row group, so that nobody has to hold more of them. */
const ROWS = 100_000;
const MAGIC = Buffer.from('PAR1');

/** Numbers of the format: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift */
const BYTE_ARRAY = 6;
const UTF8 = 0;
const REQUIRED = 0;
const PLAIN = 0;
const RLE = 3;
const DATA_PAGE = 0;
const UNCOMPRESSED = 0;

/** A Parquet file with one required column of texts, as it grows. A row group has one page, plain and not compressed. */
export async function* parquetOfTexts(
  column: string,
  batches: AsyncIterable<readonly string[]>,
): AsyncGenerator<Buffer, void, undefined> {
  yield MAGIC;
  let at = MAGIC.length;
  let rows = 0;
  const groups: ThriftStruct[] = [];
  for await (const values of inGroups(batches)) {
    const data = plainTexts(values);
    const head = writeThrift(pageHeader(values.length, data.length));
    groups.push(rowGroup(column, { at, values: values.length, bytes: head.length + data.length }));
    yield head;
    yield data;
    at += head.length + data.length;
    rows += values.length;
  }
  const footer = writeThrift(fileMetadata(column, { rows, groups }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  yield Buffer.concat([footer, length, MAGIC]);
}

async function* inGroups(batches: AsyncIterable<readonly string[]>): AsyncGenerator<readonly string[]> {
  let waiting: string[] = [];
  for await (const batch of batches) {
    waiting.push(...batch);
    if (waiting.length < ROWS) continue;
    yield waiting;
    waiting = [];
  }
  if (waiting.length > 0) yield waiting;
}

/** Each text behind its length. */
function plainTexts(values: readonly string[]): Buffer {
  const size = values.reduce((sum, value) => sum + 4 + Buffer.byteLength(value), 0);
  const data = Buffer.alloc(size);
  let at = 0;
  for (const value of values) {
    const written = data.write(value, at + 4, 'utf8');
    data.writeUInt32LE(written, at);
    at += 4 + written;
  }
  return data;
}

function pageHeader(values: number, bytes: number): ThriftStruct {
  const page = new ThriftStruct()
    .set(1, 'i32', values)
    .set(2, 'i32', PLAIN)
    .set(3, 'i32', RLE)
    .set(4, 'i32', RLE);
  return new ThriftStruct()
    .set(1, 'i32', DATA_PAGE)
    .set(2, 'i32', bytes)
    .set(3, 'i32', bytes)
    .set(5, 'struct', page);
}

function rowGroup(
  column: string,
  { at, values, bytes }: { readonly at: number; readonly values: number; readonly bytes: number },
): ThriftStruct {
  const metadata = new ThriftStruct()
    .set(1, 'i32', BYTE_ARRAY)
    .set(2, 'list', { of: TYPE.i32, items: [PLAIN, RLE] })
    .set(3, 'list', { of: TYPE.binary, items: [Buffer.from(column)] })
    .set(4, 'i32', UNCOMPRESSED)
    .set(5, 'i64', values)
    .set(6, 'i64', bytes)
    .set(7, 'i64', bytes)
    .set(9, 'i64', at);
  const chunk = new ThriftStruct().set(2, 'i64', at).set(3, 'struct', metadata);
  return new ThriftStruct()
    .set(1, 'list', { of: TYPE.struct, items: [chunk] })
    .set(2, 'i64', bytes)
    .set(3, 'i64', values);
}

function fileMetadata(
  column: string,
  { rows, groups }: { readonly rows: number; readonly groups: ThriftStruct[] },
): ThriftStruct {
  const root = new ThriftStruct().set(4, 'binary', Buffer.from('schema')).set(5, 'i32', 1);
  const logical = new ThriftStruct().set(1, 'struct', new ThriftStruct());
  const leaf = new ThriftStruct()
    .set(1, 'i32', BYTE_ARRAY)
    .set(3, 'i32', REQUIRED)
    .set(4, 'binary', Buffer.from(column))
    .set(6, 'i32', UTF8)
    .set(10, 'struct', logical);
  return new ThriftStruct()
    .set(1, 'i32', 1)
    .set(2, 'list', { of: TYPE.struct, items: [root, leaf] })
    .set(3, 'i64', rows)
    .set(4, 'list', { of: TYPE.struct, items: groups })
    .set(6, 'binary', Buffer.from('habeas'));
}
