import { createHash } from 'node:crypto';
import { api } from '@habeas/contract';
import { canonicalJson } from '../../audit/index.ts';
import type { Systems } from '../../connectors/index.ts';
import { HabeasError, type Logger } from '../../foundation/index.ts';
import type { Caller, Requests } from '../../requests/index.ts';
import { type Delimiter, readTable, type TableRow } from './read-table.ts';
import { type Columns, type RowRequest, readHeader, readRow } from './row-request.ts';

/** Makes requests of the rows of a list. */
export interface Import {
  /**
   * One piece of a list: its header and some rows. Every row is answered for; one that cannot be used holds up no other. Throws
   * BAD_INPUT for a header or an encoding that cannot be used, and PAYLOAD_TOO_LARGE for more than 2,000 rows; then nothing was made.
   */
  importRows(caller: Caller, piece: ImportPiece): Promise<api.ImportResult>;
}

export interface ImportPiece {
  readonly query: api.ImportQuery;
  readonly body: Uint8Array;
}

export interface ImportOptions {
  readonly requests: Pick<Requests, 'receive'>;
  readonly systems: Pick<Systems, 'plannable'>;
  readonly logger: Logger;
}

/** Rows at once: requests that come together share transactions, and while one is written the next ones are planned. */
const LANES = 128;

export function createImport({ requests, systems, logger }: ImportOptions): Import {
  async function makeOne(
    caller: Caller,
    options: {
      readonly row: TableRow;
      readonly columns: Columns;
      readonly query: api.ImportQuery;
      readonly line: number;
    },
  ): Promise<api.ImportedRow> {
    const { row, columns, query, line } = options;
    const refused = (code: string, message: string): api.ImportedRow => ({
      line,
      id: null,
      outcome: 'refused',
      code,
      message,
    });
    const asked = readRow(row, columns, query.right);
    if ('mistake' in asked) return refused('BAD_INPUT', asked.mistake);
    if (query.dry_run === 'true') return { line, id: null, outcome: 'checked', code: null, message: null };
    try {
      const { request, replayed } = await requests.receive(caller, {
        right: asked.right,
        identities: asked.identities,
        dryRun: false,
        idempotencyKey: keyOf(query.name, asked),
      });
      return { line, id: request.id, outcome: replayed ? 'existed' : 'made', code: null, message: null };
    } catch (error) {
      const known = HabeasError.from(error);
      if (known.code === 'IDEMPOTENCY_KEY_REUSED')
        return refused(known.code, 'a row with this reference made another request before');
      if (known.code === 'INTERNAL')
        logger.error({ err: known.cause ?? known, line }, 'a row of a list failed');
      return refused(known.code, known.message);
    }
  }

  return {
    async importRows(caller, { query, body }) {
      const delimiter: Delimiter | undefined = query.delimiter === 'tab' ? '\t' : query.delimiter;
      const table = readTable(body, delimiter);
      if (table.rows.length > api.MAX_IMPORT_ROWS) {
        throw new HabeasError(
          'PAYLOAD_TOO_LARGE',
          `A piece of a list has ${api.MAX_IMPORT_ROWS} rows at most. Send it in smaller pieces.`,
        );
      }
      const known = new Set(
        (await systems.plannable()).flatMap(({ needs, resolves }) => [...needs, ...resolves]),
      );
      const ignore = new Set((query.ignore ?? '').split(',').map((name) => name.trim()));
      const columns = readHeader(table.header, { ignore, known, right: query.right });
      const lineInList = (line: number) => line - 2 + query.first_line;
      const results: api.ImportedRow[] = [];
      const entries = table.rows.entries();
      const lane = async () => {
        for (const [index, row] of entries) {
          results[index] = await makeOne(caller, { row, columns, query, line: lineInList(row.line) });
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      const { unreadFrom } = table;
      return { rows: results, unread_from: unreadFrom === undefined ? null : lineInList(unreadFrom) };
    },
  };
}

/** The same for the same row of a list of this name; it is hashed again, keyed, before it is stored. */
function keyOf(name: string, { right, identities, reference }: RowRequest): string {
  if (reference !== undefined) return `import/${name}/reference/${reference}`;
  const sorted = [...identities].sort((a, b) => (a.type < b.type ? -1 : 1));
  const content = canonicalJson({ right, identities: sorted.map(({ type, value }) => ({ type, value })) });
  return `import/${name}/row/${createHash('sha256').update(content).digest('hex')}`;
}
