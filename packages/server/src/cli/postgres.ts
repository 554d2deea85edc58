import { openDatabase, pingDatabase, startEmbeddedPostgres } from '../foundation/index.ts';

/** The PostgreSQL that holds the state of Habeas. */
export interface Postgres {
  /** The URL of a database on it. (Default: the one for the state) */
  url(database?: string): string;
  /** Started by Habeas; false: the one of DATABASE_URL. */
  readonly embedded: boolean;
  stop(): Promise<void>;
}

export interface OpenPostgresOptions {
  readonly dataDir: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Told what is being done, one line each. */
  readonly onProgress: (line: string) => void;
}

/** DATABASE_URL if it is set, otherwise the embedded server. Throws DATABASE_UNREACHABLE or EMBEDDED_DATABASE_FAILED. */
export async function openPostgres(options: OpenPostgresOptions): Promise<Postgres> {
  const given = options.environment.DATABASE_URL;
  if (given === undefined || given === '') {
    const { dataDir, onProgress } = options;
    return { ...(await startEmbeddedPostgres({ dataDir, onProgress })), embedded: true };
  }
  const { db, close } = openDatabase({ url: given, connections: 1 });
  try {
    await pingDatabase(db, given);
  } finally {
    await close();
  }
  return {
    url: (database) => (database === undefined ? given : withDatabase(given, database)),
    embedded: false,
    stop: async () => undefined,
  };
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(database)}`;
  return changed.toString();
}
