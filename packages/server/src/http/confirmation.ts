import type { FastifyRequest } from 'fastify';
import type { Clock } from '../foundation/index.ts';
import { HabeasError } from '../foundation/index.ts';
import { principalOf } from './caller.ts';

/** So long after they showed their key, nobody is asked for it again. */
export const CONFIRMED_MILLISECONDS = 10 * 60_000;

/**
 * Refuses what cannot be undone in a session of somebody who may have left their seat (OWASP ASVS 5.0, 7.5.1). A program that
 * sends its key has just shown it. Throws CONFIRMATION_NEEDED.
 */
export function refuseUnconfirmed(request: FastifyRequest, clock: Clock): void {
  const { session } = principalOf(request);
  if (session === undefined) return;
  if (clock.now().getTime() - session.confirmedAt.getTime() <= CONFIRMED_MILLISECONDS) return;
  throw new HabeasError(
    'CONFIRMATION_NEEDED',
    session.role === null
      ? 'Show that it is you: POST /api/v1/session:confirm with the key that you signed in with, then try again.'
      : 'Show that it is you: sign in again at /api/v1/sign-in/start?confirm=true, then try again.',
  );
}
