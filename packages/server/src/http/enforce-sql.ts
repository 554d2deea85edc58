import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** A statement of a million characters, each of which JSON may write as six. */
const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

/** `/api/v1/sql:enforce`. Nothing is run. */
export function enforceSqlRoutes(app: HttpServer, { sqlEnforcer }: Pick<Application, 'sqlEnforcer'>): void {
  app.post('/api/v1/sql::enforce', {
    bodyLimit: BODY_LIMIT_BYTES,
    schema: {
      ...operation({
        id: 'enforceSql',
        tag: 'Consent',
        summary: 'Narrow a statement to the people whose data may be used for a purpose',
        description: 'Nothing is run. What is not known to be safe is refused, with the reason.',
      }),
      body: api.enforceSqlSchema,
      response: {
        200: api.enforcedSqlSchema.describe('The statement as it may run'),
        ...problems([
          'BAD_INPUT',
          'NOT_FOUND',
          'CONFLICT',
          'PAYLOAD_TOO_LARGE',
          'SQL_REFUSED',
          'SYSTEM_UNREACHABLE',
        ]),
      },
    },
    handler: (request) => sqlEnforcer.enforce(callerOf(request).organizationId, request.body),
  });
}
