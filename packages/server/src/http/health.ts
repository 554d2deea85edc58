import { sql } from 'kysely';
import * as z from 'zod';
import type { Application } from './application.ts';
import { type HttpServer, operation } from './operation.ts';

const healthSchema = z
  .object({
    status: z.enum(['ok', 'failing']),
    database: z.enum(['ok', 'unreachable']),
    work: z.enum(['goes-on', 'partly-paused', 'paused']).describe('A server whose work is paused is well'),
  })
  .meta({ id: 'Health' });

/** How long the database may take to answer. */
const DATABASE_TIMEOUT_MILLISECONDS = 2_000;

/** `GET /health`, for load balancers and supervisors: the one answer that needs no key. Says nothing about anybody. */
export function healthRoutes(app: HttpServer, { db, requests }: Pick<Application, 'db' | 'requests'>): void {
  app.get('/health', {
    config: { open: true },
    schema: {
      ...operation({ id: 'getHealth', tag: 'Server', summary: 'Whether the server can work', open: true }),
      response: {
        200: healthSchema.describe('It can'),
        503: healthSchema.describe('It cannot; the answer says what is missing'),
      },
    },
    handler: async (_request, reply) => {
      const reachable = await answersInTime(db);
      return reply
        .code(reachable ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({
          status: reachable ? 'ok' : 'failing',
          database: reachable ? 'ok' : 'unreachable',
          work: workOf(requests.pauses.heeded()),
        });
    },
  });
}

function workOf(heeded: ReturnType<Application['requests']['pauses']['heeded']>) {
  if (heeded.length === 0) return 'goes-on' as const;
  return heeded.some(({ scope }) => scope !== 'system') ? ('paused' as const) : ('partly-paused' as const);
}

async function answersInTime(db: Application['db']): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, DATABASE_TIMEOUT_MILLISECONDS, false);
  const answer = sql`select 1`.execute(db).then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
