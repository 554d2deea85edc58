import pg from 'pg';
import { HabeasError } from '../../foundation/index.ts';

/** SQLSTATEs that a statement brings about by itself, and not the state that the server is in. */
const OF_STATEMENT = /^(?:08P01|0A|21|22|23|2F|38|39|42|44|54|P0)/;

/** A right that is missing, a table that is there already, a conflict without an index: their messages name what was made, and never a value. */
const OF_NAMES = /^42(?:501|P07|P10)$/;

/**
 * What a job did wrong, for who wrote it. PostgreSQL's own words are repeated only where they tell of the statement, which was read before any row was:
 * all others may quote rows, also those of class 42, such as of a text of a row that is no `tsquery`. Everything else is given back as it is.
 */
export function statementError(
  error: unknown,
  where: { readonly file: string; readonly target: string },
): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  const { code = '', message, position } = error;
  if (!OF_STATEMENT.test(code)) return error;
  const { file, target } = where;
  if (code === '08P01')
    return new HabeasError('BAD_INPUT', `${file} has parameters such as $1, and a job is given none.`, {
      cause: error,
    });
  // With a place in its text it was found wrong when it was read; with a context it comes out of a function, which may have put together what it says from rows.
  const isOfText = code.startsWith('42') && position !== undefined;
  if ((isOfText || OF_NAMES.test(code)) && error.where === undefined)
    return new HabeasError('BAD_INPUT', `${file} cannot run in ${target}. PostgreSQL says: ${message}.`, {
      cause: error,
    });
  return new HabeasError(
    'SYSTEM_FAILED',
    `${file} failed in ${target} with SQLSTATE ${code}${placeOf(error)}, and nothing that it did is there. What PostgreSQL says of it may quote people's data: see its log.`,
    { cause: error },
  );
}

function placeOf({ constraint, table, column }: pg.DatabaseError): string {
  const parts = Object.entries({ constraint, table, column }).flatMap(([what, name]) =>
    name === undefined ? [] : [`${what} ${name}`],
  );
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
