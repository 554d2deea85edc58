import { api } from '@habeas/contract';
import type { FastifyReply } from 'fastify';
import * as z from 'zod';
import type { WrittenMap } from '../map/index.ts';
import type { Application } from './application.ts';
import { type HttpServer, operation, problems } from './operation.ts';

const dataTypeParams = z.object({
  data_type: z.string().min(1).max(100).describe('A data type as teams declare it, such as `email`'),
});

/** A map, which is sent as it is written: megabytes are not checked and copied once more on their way out. */
const mapSchema: z.ZodType<api.MapView | Buffer> = api.mapSchema.describe(
  'What the filter leaves of the map',
);

/** The same holds for what changed. */
const differenceSchema: z.ZodType<api.MapDifferenceView | Buffer> = api.mapDifferenceSchema.describe(
  'What was added, removed and changed, with who says so and since when',
);

const ERRORS = ['BAD_INPUT', 'NOT_FOUND'] as const;

/** `/api/v1/map` and the questions that people ask it. */
export function mapRoutes(app: HttpServer, { map }: Pick<Application, 'map'>): void {
  app.get('/api/v1/map', {
    schema: {
      ...operation({
        id: 'getMap',
        tag: 'Map',
        summary: 'Read the data map: services, what they store, what flows between them, and gaps',
        description:
          'Now or as it was, filtered, compared with another moment, or summed up by team. `at`, `as_of`, `filter` and `counts` say what an answer is about.',
      }),
      querystring: api.mapQuerySchema,
      response: { 200: mapSchema, ...problems(ERRORS) },
    },
    handler: async (request, reply) => sendWritten(reply, await map.mapJson(request.query)),
  });

  app.get('/api/v1/map/changes', {
    schema: {
      ...operation({
        id: 'getMapChanges',
        tag: 'Map',
        summary: 'What changed in the data map between two moments',
        description:
          'From the earlier to the later one, whichever is asked for first; without the map itself.',
      }),
      querystring: api.mapChangesQuerySchema,
      response: { 200: differenceSchema, ...problems(ERRORS) },
    },
    handler: async (request, reply) => sendWritten(reply, await map.changesJson(request.query)),
  });

  for (const direction of ['upstream', 'downstream'] as const) {
    app.get(`/api/v1/map/${direction}`, {
      schema: {
        ...operation({
          id: direction === 'upstream' ? 'getUpstream' : 'getDownstream',
          tag: 'Map',
          summary:
            direction === 'upstream'
              ? 'Where the data of a service comes from, each data type by itself'
              : 'Where the data of a service goes to, each data type by itself',
        }),
        querystring: api.reachQuerySchema,
        response: {
          200: api.reachSchema.describe('Services that are reached, and the flows on the way'),
          ...problems(ERRORS),
        },
      },
      handler: (request) => map.reach(direction, request.query),
    });
  }

  app.get('/api/v1/map/paths', {
    schema: {
      ...operation({
        id: 'getPaths',
        tag: 'Map',
        summary: 'The ways that data takes from one service to another, with the evidence of each hop',
      }),
      querystring: api.pathsQuerySchema,
      response: { 200: api.pathsSchema.describe('Simple paths, the shortest first'), ...problems(ERRORS) },
    },
    handler: (request) => map.paths(request.query),
  });

  app.get('/api/v1/map/impact', {
    schema: {
      ...operation({
        id: 'getImpact',
        tag: 'Map',
        summary: 'Whom it concerns if a service goes away or is breached',
      }),
      querystring: api.reachQuerySchema,
      response: {
        200: api.impactSchema.describe('What is exposed, which services it reaches, and which teams to call'),
        ...problems(ERRORS),
      },
    },
    handler: (request) => map.impact(request.query),
  });

  app.get('/api/v1/map/impacts', {
    schema: {
      ...operation({
        id: 'listImpacts',
        tag: 'Map',
        summary: 'How far the data of each service comes and goes, the furthest first',
      }),
      querystring: api.mapFilterSchema,
      response: { 200: api.impactListSchema.describe('All services'), ...problems(ERRORS) },
    },
    handler: (request) => map.impacts(request.query),
  });

  app.get('/api/v1/holders/:data_type', {
    schema: {
      ...operation({ id: 'getHolders', tag: 'Map', summary: 'Who holds a data type, and who moves it' }),
      params: dataTypeParams,
      response: {
        200: api.holdersSchema.describe('Services that hold it, and services that send it'),
        ...problems(['BAD_INPUT']),
      },
    },
    handler: (request) => map.holders(request.params.data_type),
  });

  app.get('/api/v1/services', {
    schema: {
      ...operation({
        id: 'listServices',
        tag: 'Map',
        summary: 'List services, and how a request reaches each of them',
      }),
      response: { 200: api.serviceListSchema.describe('All services'), ...problems() },
    },
    handler: async () => ({ items: [...(await map.services())] }),
  });
}

function sendWritten(reply: FastifyReply, { bytes, release }: WrittenMap): FastifyReply {
  // Sent, or given up: either way the socket reads them no more.
  reply.raw.once('close', release);
  return reply.type('application/json; charset=utf-8').send(bytes);
}
