import { HabeasError } from '../foundation/index.ts';

/** What a zod validation says about one field. */
export interface InputIssue {
  /** Path to the field, as a JSON pointer (RFC 6901) without escapes. */
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** A field's name as a schema would spell it. Anything else was written by the caller and may be personal data. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$|^\d{1,6}$/;

/**
 * BAD_INPUT with one line per field that is wrong, never with the value. `where` is `body`, `query`, `headers` or `path`.
 */
export function badInput(where: string, issues: readonly InputIssue[]): HabeasError {
  const details = issues.map((issue) => `${fieldName(where, issue.instancePath)}: ${expectation(issue)}`);
  return new HabeasError('BAD_INPUT', details.join('; '), { details });
}

function fieldName(where: string, instancePath: string): string {
  const parts = instancePath.split('/').filter((part) => part !== '');
  return [where, ...parts.map((part) => (PLAIN_NAME.test(part) ? part : '…'))].join('.');
}

function expectation(issue: InputIssue): string {
  if (issue.keyword !== 'unrecognized_keys') return issue.message ?? 'does not fit the schema';
  const keys = Array.isArray(issue.params?.keys) ? issue.params.keys : [];
  const shown = keys.filter((key): key is string => typeof key === 'string' && PLAIN_NAME.test(key));
  return shown.length > 0
    ? `has unknown fields: ${shown.join(', ')}`
    : 'has a field that this operation does not know';
}
