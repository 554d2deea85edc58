import * as z from 'zod';
import { type HttpServer, operation, problems } from './operation.ts';

/** `GET /openapi.json`: the document that clients are generated from. */
export function openApiRoutes(app: HttpServer): void {
  app.get('/openapi.json', {
    schema: {
      ...operation({ id: 'getOpenApi', tag: 'Server', summary: 'This description of the API (OpenAPI 3.1)' }),
      response: {
        200: {
          description: 'The document',
          content: { 'application/json': { schema: z.looseObject({ openapi: z.string() }) } },
        },
        ...problems(),
      },
    },
    handler: async (_request, reply) => {
      reply.type('application/json; charset=utf-8');
      return reply.serializer((document) => JSON.stringify(document)).send(openApiDocument(app));
    },
  });
}

/** The OpenAPI document of a server that is ready. */
export function openApiDocument(app: HttpServer): { openapi: string } {
  return { openapi: '3.1.1', ...app.swagger() };
}
