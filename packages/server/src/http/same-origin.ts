import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import { HabeasError } from '../foundation/index.ts';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses a change that a page of another site made a browser send. A browser repeats the key that its user once typed
 * (Basic) to every site's calls; it also says in `Origin` (Fetch standard §3.1) which site the call came from.
 */
export function refuseOtherOrigins(
  request: FastifyRequest,
  _reply: FastifyReply,
  done: HookHandlerDoneFunction,
): void {
  const { origin, host } = request.headers;
  const isOurs =
    origin === undefined ||
    SAFE_METHODS.has(request.method) ||
    hostOf(origin) === host ||
    request.routeOptions.config.crossOrigin === true;
  if (!isOurs) throw new HabeasError('FORBIDDEN', 'A page of another site may not change anything here.');
  done();
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
