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
  if (hostOf(origin) === host || request.routeOptions.config.crossOrigin === true) return;
  throw new HabeasError('FORBIDDEN', 'A page of another site may not change anything here.');
}

/**
 * Refuses a change in a session unless the browser says that a page of this server asks for it (OWASP: Cross-Site Request Forgery
 * Prevention, "verifying origin"). Every browser says so with every change.
 */
export function refuseUnknownOrigin({ method, headers }: FastifyRequest): void {
  if (SAFE_METHODS.has(method)) return;
  const { origin, host } = headers;
  if (origin !== undefined && hostOf(origin) === host) return;
  throw new HabeasError('FORBIDDEN', 'Only a page of this server may change something in a session.');
}

/** `example.org:8080`; undefined for what is no origin, such as `null`. */
export function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
