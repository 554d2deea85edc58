import type { FastifyRequest } from 'fastify';
import { bodyOf } from '../wire-scope.ts';

/** What a browser sends of a form. */
export function formOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(bodyOf(request).toString('utf8'));
}
