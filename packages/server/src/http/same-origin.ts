import type { FastifyRequest } from 'fastify';
import { HabeasError } from '../foundation/index.ts';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses a change that a page of another site made a browser send. A browser repeats the key that its user once typed
 * (Basic) to every site's calls; it also says in `Origin` (Fetch standard §3.1) which site the call came from.
 */
export async function refuseOtherOrigins(request: FastifyRequest): Promise<void> {
  const { origin, host } = request.headers;
  if (origin === undefined || SAFE_METHODS.has(request.method)) return;
  if (hostOf(origin) === host) return;
  throw new HabeasError('FORBIDDEN', 'A page of another site may not change anything here.');
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
