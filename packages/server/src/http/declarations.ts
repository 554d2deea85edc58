import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** `POST /api/v1/declarations` for jobs that are never scraped, and `GET /api/v1/http-sd` for Prometheus. */
export function declarationRoutes(app: HttpServer, { map, clock }: Pick<Application, 'map' | 'clock'>): void {
  app.post('/api/v1/declarations', {
    schema: {
      ...operation({
        id: 'pushDeclarations',
        tag: 'Map',
        summary: 'Declare what a job does with personal data, for jobs that nobody scrapes',
        description:
          'All that the job does at once: what it sent before and does not send now has ended. The same body again only makes it last longer.',
      }),
      body: api.pushSchema,
      response: {
        200: api.pushedSchema.describe('What was stored'),
        ...problems(['BAD_INPUT', 'PAYLOAD_TOO_LARGE']),
      },
    },
    async handler(request) {
      const { source: job, ttl_seconds, declarations: services } = request.body;
      const ttl = ttl_seconds * 1_000;
      const expires = new Date(clock.now().getTime() + ttl);
      const { source, state, declarations, started, ended, warnings } = await map.push({
        job,
        ttl,
        services,
      });
      const stored: api.Pushed['state'] = state === 'ok' ? 'ok' : 'partial';
      const counts = { declarations, started, ended };
      return { source, state: stored, ...counts, expires_at: expires.toISOString(), warnings: [...warnings] };
    },
  });

  app.get('/api/v1/http-sd', {
    schema: {
      ...operation({
        id: 'listTargets',
        tag: 'Map',
        summary: 'List what Habeas knows to scrape, as Prometheus wants it',
        description:
          'Pages that Habeas reads itself and approved clients, with the team and the service that they belong to.',
      }),
      response: { 200: api.targetGroupsSchema.describe('Groups of targets'), ...problems() },
    },
    handler: async () =>
      (await map.targets()).map(({ targets, labels }) => ({ targets: [...targets], labels: { ...labels } })),
  });
}
