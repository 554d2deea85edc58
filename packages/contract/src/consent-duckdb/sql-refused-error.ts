/** Why a statement is not run. */
export class SqlRefusedError extends Error {
  override readonly name = 'SqlRefusedError';
}
