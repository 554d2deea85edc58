import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import { readIntegers, readTimes } from './binary-arrays.ts';
import type { Moment } from './seen-declaration.ts';

/** As they are stored. Times are milliseconds: ten thousand dates take longer to make than to find. */
export interface NumberedIntervals {
  readonly numbers: Int32Array;
  readonly firsts: Float64Array;
  readonly lasts?: Float64Array;
}

/** A piece of them, side by side. */
interface Piece {
  /** The index of the moment. */
  readonly side: number;
  readonly numbers: Buffer;
  readonly firsts: Buffer;
  readonly lasts: Buffer;
}

export interface EndedOptions {
  readonly organizationId: string;
  readonly moments: readonly Moment[];
}

/*
 *      first_seen            last_seen
 *   ───────┼─────────────────────┼──────────▶   open: no last_seen; then the index map_declarations_open
 *              ▲ moment                         ended: the range contains the moment; map_declarations_ended
 */

/** So many rows instead of one of a megabyte, and instead of ten thousand, which take longer to take apart than to find. */
const PIECE = sql`number & 15`;
const NUMBERS = sql`string_agg(int4send(number), ''::bytea) as numbers`;
const FIRSTS = sql`string_agg(timestamptz_send(first_seen), ''::bytea) as firsts`;
const LASTS = sql`string_agg(timestamptz_send(last_seen), ''::bytea) as lasts`;

/** Everything that has not ended. */
export async function selectOpen(
  transaction: Database,
  { organizationId }: Pick<EndedOptions, 'organizationId'>,
): Promise<NumberedIntervals> {
  const { rows } = await sql<Pick<Piece, 'numbers' | 'firsts'>>`
    select ${NUMBERS}, ${FIRSTS}
    from map_declarations
    where organization_id = ${organizationId} and last_seen is null
    group by ${PIECE}`.execute(transaction);
  return {
    numbers: readIntegers(rows.map(({ numbers }) => numbers)),
    firsts: readTimes(rows.map(({ firsts }) => firsts)),
  };
}

/** What ended at each of the moments or later, and had begun. */
export async function selectEnded(
  transaction: Database,
  options: EndedOptions,
): Promise<readonly NumberedIntervals[]> {
  const { rows } = await sql<Piece>`
    select ${SIDE}, ${NUMBERS}, ${FIRSTS}, ${LASTS}
    ${fromMoments(options)}
    group by place, ${PIECE}`.execute(transaction);
  return options.moments.map((_, side) => {
    const pieces = rows.filter((row) => row.side === side);
    return {
      numbers: readIntegers(pieces.map(({ numbers }) => numbers)),
      firsts: readTimes(pieces.map(({ firsts }) => firsts)),
      lasts: readTimes(pieces.map(({ lasts }) => lasts)),
    };
  });
}

const SIDE = sql`place::integer - 1 as side`;

function fromMoments({ organizationId, moments }: EndedOptions) {
  // Whatever has ended has ended before `infinity`.
  const times = moments.map((moment) => (moment === 'now' ? 'infinity' : moment.toISOString()));
  return sql`
    from unnest(${times}::timestamptz[]) with ordinality as moments (moment, place)
    join map_declarations on tstzrange(first_seen, last_seen, '[]') @> moment
    where organization_id = ${organizationId} and last_seen is not null`;
}
