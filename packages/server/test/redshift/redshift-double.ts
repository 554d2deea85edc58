import { connect, createServer, type Socket } from 'node:net';
import { createTestDatabase } from '../database.ts';
import { refusedByRedshift } from './refused-by-redshift.ts';

/** A PostgreSQL that takes only what Redshift takes. */
export interface RedshiftDouble extends AsyncDisposable {
  readonly url: string;
  /** Runs statements past the rules, to make tables and to look at them. */
  query(text: string): Promise<readonly unknown[][]>;
  /** What was asked for that Redshift does not have, with the statement. */
  readonly refused: readonly string[];
  /** Every statement, as it came. */
  readonly statements: readonly string[];
  close(): Promise<void>;
}

/** Functions and types that Redshift has and PostgreSQL has not; their folder is looked into first. */
const OWN = `
  create schema redshift;
  create domain redshift.super as jsonb;
  create function redshift.version() returns text language sql
    as $$ select 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.131193' $$;
  create function redshift.sha2(text, int) returns text language sql immutable
    as $$ select encode(sha256(convert_to($1, 'UTF8')), 'hex') $$;
  create function redshift.dateadd(text, int, timestamp) returns timestamp language sql immutable
    as $$ select $3 + ($2 || ' ' || $1)::interval $$;
  create function redshift.json_array_length(varchar) returns int language sql immutable
    as $$ select pg_catalog.json_array_length($1::json) $$;
  create function redshift.json_extract_array_element_text(varchar, int) returns varchar language sql immutable
    as $$ select $1::json ->> $2 $$;
  create function redshift.json_parse(varchar) returns redshift.super language sql immutable as $$ select $1::jsonb $$;
  create function redshift.json_serialize(redshift.super) returns varchar language sql immutable as $$ select $1::text $$;`;

/** Keys and foreign keys of tables are there, and nobody looks at them. */
export const ONLY_DECLARED = `
  do $$ declare t regclass; begin
    for t in select oid from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace loop
      execute format('alter table %s disable trigger all', t);
    end loop;
    update pg_index set indisunique = false where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace);
  end $$`;

/** Starts one with tables in the schema `public`. */
export async function startRedshiftDouble(tables: string): Promise<RedshiftDouble> {
  const database = await createTestDatabase();
  await database.pool.query(
    `${OWN} set search_path = public, redshift; ${tables}; reset search_path; ${ONLY_DECLARED}`,
  );
  const target = new URL(database.url);
  const refused: string[] = [];
  const statements: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connectTo(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.pipe(client);
    const reader = new MessageReader((text) => {
      statements.push(text);
      return asPostgres(text, refused);
    });
    client.on('data', (bytes) => upstream.write(reader.read(bytes)));
    client.on('end', () => upstream.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The double listens nowhere.');
  const url = new URL(database.url);
  url.hostname = '127.0.0.1';
  url.port = `${address.port}`;
  url.searchParams.delete('host');
  url.searchParams.delete('port');
  url.searchParams.set('options', '-c search_path=redshift,pg_catalog,public');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await database.close();
  };
  return {
    url: url.href,
    refused,
    statements,
    close,
    async query(text) {
      const { rows } = await database.pool.query<unknown[]>({ text, rowMode: 'array' });
      return rows;
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Where the address of a test database leads: a socket in a folder, or a port. */
function connectTo({ hostname, port, searchParams }: URL): Socket {
  const host = searchParams.get('host') ?? hostname;
  const number = searchParams.get('port') ?? (port || '5432');
  return host.startsWith('/') ? connect(`${host}/.s.PGSQL.${number}`) : connect(Number(number), host);
}

const OWN_SETTING = /\bset enable_case_sensitive_identifier to /g;
const VACUUM = /^vacuum (?:full|delete only) (.*) to \d+ percent$/i;

/** To PostgreSQL this is a word of its own language. */
const SERIALIZE = /\bjson_serialize\(/g;

/** The same for PostgreSQL; what Redshift refuses becomes an error. */
function asPostgres(said: string, refused: string[]): string {
  const text = said.replace(SERIALIZE, 'redshift.json_serialize(');
  const vacuum = VACUUM.exec(text);
  if (vacuum !== null) return `vacuum ${vacuum[1]}`;
  let reasons: readonly string[];
  try {
    reasons = refusedByRedshift(text);
  } catch (error) {
    reasons = [error instanceof Error ? error.message : 'syntax error'];
  }
  if (reasons.length === 0) return text.replace(OWN_SETTING, 'set redshift.case_sensitive to ');
  refused.push(`${reasons.join('; ')}: ${text}`);
  const message = reasons.join('; ').replaceAll("'", "''").replaceAll('%', '%%');
  return `do $$ begin raise exception '${message}' using errcode = '0A000'; end $$`;
}

/** Takes the client's messages apart, and changes the text of those that have one. (PostgreSQL manual, "Message Formats") */
class MessageReader {
  readonly #change: (text: string) => string;
  #rest: Buffer = Buffer.alloc(0);
  #isBegun = false;

  constructor(change: (text: string) => string) {
    this.#change = change;
  }

  read(bytes: Buffer): Buffer {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const out: Buffer[] = [];
    for (;;) {
      // The first message has no letter before its length.
      const head = this.#isBegun ? 1 : 0;
      if (this.#rest.length < head + 4) break;
      const end = head + this.#rest.readInt32BE(head);
      if (this.#rest.length < end) break;
      out.push(this.#isBegun ? this.#message(this.#rest.subarray(0, end)) : this.#rest.subarray(0, end));
      this.#isBegun = true;
      this.#rest = this.#rest.subarray(end);
    }
    return Buffer.concat(out);
  }

  #message(message: Buffer): Buffer {
    const kind = String.fromCharCode(message[0] ?? 0);
    if (kind !== 'Q' && kind !== 'P') return message;
    // A parse begins with the name of the statement.
    const from = kind === 'P' ? message.indexOf(0, 5) + 1 : 5;
    const to = message.indexOf(0, from);
    const text = Buffer.from(this.#change(message.toString('utf8', from, to)));
    const changed = Buffer.concat([message.subarray(0, from), text, message.subarray(to)]);
    changed.writeInt32BE(changed.length - 1, 1);
    return changed;
  }
}
