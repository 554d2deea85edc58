import type pg from 'pg';
import type Cursor from 'pg-cursor';

/** Rows of a statement, some at a time. */
export interface OpenCursor<Row> {
  /** The next rows, and what is known of all of them; none: there are no more. */
  read(rows: number): Promise<{ readonly batch: Row[]; readonly result: pg.QueryResult }>;
  /** Resolves when the connection can be used for something else, or is lost. Before that it does nothing, not even take back what was done. */
  close(): Promise<void>;
}

/** Runs a statement; nobody waits for ever for an answer of a connection that is lost. */
export function openCursor<Row>(client: pg.ClientBase, asked: Cursor<Row>): OpenCursor<Row> {
  const lost = Promise.withResolvers<void>();
  const end = () => lost.resolve();
  client.once('end', end);
  const cursor = client.query(asked);
  return {
    read: (rows) =>
      new Promise((resolve, reject) => {
        cursor.read(rows, (error, batch, result) =>
          error == null ? resolve({ batch, result }) : reject(error),
        );
      }),
    async close() {
      await Promise.race([cursor.close(), lost.promise]);
      client.off('end', end);
    },
  };
}
