import { type Problem, problemSchema } from '@habeas/contract/api';

/** What the server refused, in its own words (RFC 9457). */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ApiError';
    this.problem = problem;
  }
}

/** The server could not be reached. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super('The server does not answer. What you typed is still here; try again in a moment.', { cause });
    this.name = 'ConnectionLost';
  }
}

/** The server answered something else than its description says: another version, or something in between. */
export class UnexpectedAnswer extends Error {
  constructor(path: string, cause?: unknown) {
    super(`The server answered ${path} in a way that this page does not understand. Load the page again.`, {
      cause,
    });
    this.name = 'UnexpectedAnswer';
  }
}

/** Reads the problem document of an answer that is an error. */
export async function problemOf(answer: Response, path: string): Promise<ApiError | UnexpectedAnswer> {
  const parsed = problemSchema.safeParse(await answer.json().catch(() => undefined));
  return parsed.success ? new ApiError(parsed.data) : new UnexpectedAnswer(path);
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof ApiError && error.problem.code === code;
}
