import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { HabeasError } from '../foundation/index.ts';
import { badInput } from './input-issues.ts';
import { PROBLEM_TYPE, toProblem } from './problem.ts';

/** Answers every error as a problem document. What nobody expected is logged under the id that the answer names. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = translate(error, request);
  if (known.code === 'INTERNAL') {
    request.log.error({ err: known.cause ?? known }, 'request failed');
  }
  return sendProblem(known, request, reply);
}

/** Answers a path that no operation has. The path itself is not repeated: it may hold personal data. */
export function handleUnknownRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = new HabeasError(
    'NOT_FOUND',
    `There is no operation ${request.method} at this path. GET /openapi.json lists all operations.`,
  );
  return sendProblem(error, request, reply);
}

function sendProblem(error: HabeasError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .code(error.status)
    .type(PROBLEM_TYPE)
    .header('cache-control', 'no-store')
    .send(JSON.stringify(toProblem(error, request.id)));
}

function translate(error: unknown, request: FastifyRequest): HabeasError {
  if (error instanceof HabeasError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    if (error.validationContext === 'params') {
      return new HabeasError(
        'NOT_FOUND',
        'There is nothing under this id; ids have letters, digits, - and _.',
      );
    }
    return badInput(whereOf(error.validationContext), error.validation);
  }
  if (isFastifyError(error)) {
    const translated = fromFastify(error, request);
    if (translated !== undefined) return translated;
  }
  return new HabeasError(
    'INTERNAL',
    `Habeas failed while it answered ${request.method} ${request.routeOptions.url ?? 'an unknown path'}. The log has the details under ${request.id}.`,
    { cause: error },
  );
}

function whereOf(context: string | undefined): string {
  return context === 'querystring' ? 'query' : (context ?? 'body');
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** Fastify's own refusals; their texts may quote the input, so each gets a text of ours. */
function fromFastify(error: FastifyError, request: FastifyRequest): HabeasError | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HabeasError(
        'PAYLOAD_TOO_LARGE',
        `The body is larger than ${request.routeOptions.bodyLimit} bytes.`,
        { cause: error },
      );
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new HabeasError('BAD_INPUT', 'The body must be sent as application/json.', { cause: error });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new HabeasError('BAD_INPUT', 'Content-Type says application/json, but the body is empty.', {
        cause: error,
      });
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new HabeasError('BAD_INPUT', 'The body is not valid JSON.', { cause: error });
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new HabeasError('NOT_FOUND', 'There is no operation at this path.', { cause: error });
    default:
      return undefined;
  }
}
