import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import { HabeasError } from '../foundation/index.ts';

/** Refuses a URL with an escaped NUL in it: nothing here has one in its name, and PostgreSQL takes none in a text. */
export function refuseNul(
  request: FastifyRequest,
  _reply: FastifyReply,
  done: HookHandlerDoneFunction,
): void {
  if (request.url.includes('%00')) {
    throw new HabeasError('BAD_INPUT', 'The URL has a NUL (%00) in it. No id, name or filter has one.');
  }
  done();
}
