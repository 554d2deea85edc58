import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** `/api/v1/catalog`: which fields of which systems hold what. */
export function catalogRoutes(app: HttpServer, { catalog }: Pick<Application, 'catalog'>): void {
  app.get('/api/v1/catalog', {
    schema: {
      ...operation({
        id: 'listCatalog',
        tag: 'Catalog',
        summary: 'List fields of systems, with what they hold and who owns them',
        description:
          'From the datasets of connections, and from the data map where no dataset says more. A key for some teams sees what these own.',
      }),
      querystring: api.listCatalogQuerySchema,
      response: {
        200: api.catalogPageSchema.describe('A page of the catalog'),
        ...problems(['BAD_INPUT']),
      },
    },
    handler: (request) => catalog.list(request.query, callerOf(request).teams ?? null),
  });
}
