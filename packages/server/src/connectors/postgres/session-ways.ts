/** What a transaction does differently with servers that speak PostgreSQL's protocol. */
export interface SessionWays {
  /** The statements that a transaction begins with. */
  begin(isolation: 'snapshot' | 'change'): readonly string[];
  /** Whether rows can be copied out to the client. */
  readonly copies: boolean;
  /** Puts settings of the transaction into a statement. Absent: the server keeps them itself. */
  fill?(text: string, values: ReadonlyMap<'now' | 'salt', string>): string;
}

/** Settings that decide how values are printed, so that a key that was stored is found again whatever the role's defaults are. */
const SETTINGS: Readonly<Record<string, string>> = {
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  xmloption: 'content',
  lc_monetary: 'C',
  standard_conforming_strings: 'on',
  row_security: 'off',
  lock_timeout: '30s',
  // A notice, such as that a temporary table is there already, is sent at once and costs a switch to us and back.
  client_min_messages: 'warning',
};

/** How a transaction is held with PostgreSQL itself. */
export const POSTGRES_SESSION: SessionWays = {
  begin(isolation) {
    const settings = Object.entries(SETTINGS).map(
      ([name, value]) => `set_config('${name}', '${value}', true)`,
    );
    const level = isolation === 'snapshot' ? 'repeatable read' : 'read committed';
    return [`begin isolation level ${level}`, `select ${settings.join(', ')}`];
  },
  copies: true,
};
