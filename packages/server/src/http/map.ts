import { api } from '@habeas/contract';
import * as z from 'zod';
import type { Application } from './application.ts';
import { type HttpServer, operation, problems } from './operation.ts';

const dataTypeParams = z.object({
  data_type: z.string().min(1).max(100).describe('A data type as teams declare it, such as `email`'),
});

/** `/api/v1/map` and the questions that people ask it. */
export function mapRoutes(app: HttpServer, { map }: Pick<Application, 'map'>): void {
  app.get('/api/v1/map', {
    schema: {
      ...operation({
        id: 'getMap',
        tag: 'Map',
        summary: 'Read the data map: services, what they store, what flows between them, and gaps',
      }),
      querystring: api.mapQuerySchema,
      response: { 200: api.mapSchema.describe('The map as it is now'), ...problems(['BAD_INPUT']) },
    },
    handler: (request) => map.map(request.query),
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

  app.get('/api/v1/gaps', {
    schema: {
      ...operation({
        id: 'listGaps',
        tag: 'Map',
        summary: 'List what is missing in the map, and what to do about it',
      }),
      response: { 200: api.gapListSchema.describe('All gaps'), ...problems() },
    },
    handler: async () => ({ items: [...(await map.gaps())] }),
  });
}
