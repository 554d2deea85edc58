import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { gapIdParams } from './params.ts';

/** `/api/v1/gaps`: what the data map does not know, and what people decided about it. */
export function gapRoutes(app: HttpServer, { map }: Pick<Application, 'map'>): void {
  app.get('/api/v1/gaps', {
    schema: {
      ...operation({
        id: 'listGaps',
        tag: 'Map',
        summary: 'List what is missing in the map, and what to do about it',
      }),
      querystring: api.gapListQuerySchema,
      response: {
        200: api.gapListSchema.describe('Gaps that the filter leaves'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: (request) => map.gapList(request.query),
  });

  app.post('/api/v1/gaps/:id([a-z0-9_]+)::approve', {
    schema: {
      ...operation({
        id: 'approveGap',
        tag: 'Map',
        summary: 'Say that a gap is right as it is, or give a data type its category',
        description:
          'It is no gap any more until somebody takes the decision back. A data type has the category from now on, in every answer; what the configuration says under `data_types` counts before it.',
      }),
      params: gapIdParams,
      body: api.approveGapSchema,
      response: {
        200: api.gapSchema.describe('The gap as it is now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: (request) =>
      map.approveGap({ id: request.params.id, actor: callerOf(request).actor, ...request.body }),
  });

  app.post('/api/v1/gaps/:id([a-z0-9_]+)::reject', {
    schema: {
      ...operation({
        id: 'rejectGap',
        tag: 'Map',
        summary: 'Say that a gap must not stay as it is',
        description: 'It stays a gap, with the reason, until its cause is mended.',
      }),
      params: gapIdParams,
      body: api.reasonSchema,
      response: {
        200: api.gapSchema.describe('The gap as it is now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: (request) =>
      map.rejectGap({ id: request.params.id, actor: callerOf(request).actor, ...request.body }),
  });

  app.post('/api/v1/gaps/:id([a-z0-9_]+)::reopen', {
    schema: {
      ...operation({ id: 'reopenGap', tag: 'Map', summary: 'Take back what was decided about a gap' }),
      params: gapIdParams,
      body: api.reasonSchema,
      response: {
        200: api.gapSchema.describe('The gap as it is now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: (request) =>
      map.reopenGap({ id: request.params.id, actor: callerOf(request).actor, ...request.body }),
  });
}
