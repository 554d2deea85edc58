import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';
import * as z from 'zod';
import type { Application } from './application.ts';
import { consentMetrics } from './consent-metrics.ts';
import { dueMetrics } from './due-metrics.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** `GET /metrics`: figures of this server process for Prometheus, and what Habeas declares about itself. Labels hold routes, methods and statuses only. */
export function metricsRoutes(
  app: HttpServer,
  application: Pick<
    Application,
    'ownMetrics' | 'requests' | 'organizationId' | 'consentTargets' | 'propagation' | 'clock'
  >,
): void {
  const { ownMetrics, requests, organizationId } = application;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const labelNames = ['method', 'route', 'status'] as const;
  const calls = new Counter({
    name: 'habeas_http_requests_total',
    help: 'Calls of the REST API that were answered',
    labelNames,
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'habeas_http_request_duration_seconds',
    help: 'From the first byte of a call to the last byte of its answer',
    labelNames: ['method', 'route'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });

  new Gauge({
    name: 'habeas_paused',
    help: 'Work that this server does not begin because it is paused: 1 for each pause',
    labelNames: ['scope', 'system'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const { scope, system } of requests.pauses.heeded()) this.set({ scope, system: system ?? '' }, 1);
    },
  });
  const choices = new Gauge({
    name: 'habeas_processing_choices',
    help: 'Requests whose restriction, objection, opt-out or limitation holds now',
    labelNames: ['kind'] as const,
    registers: [registry],
  });

  dueMetrics(registry, requests);
  consentMetrics(registry, application);

  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const method = request.method;
    calls.inc({ method, route, status: String(reply.statusCode) });
    seconds.observe({ method, route }, reply.elapsedTime / 1_000);
    done();
  });

  app.get('/metrics', {
    schema: {
      ...operation({ id: 'getMetrics', tag: 'Server', summary: 'Figures of this server for Prometheus' }),
      response: {
        200: { description: 'Prometheus text format', content: { 'text/plain': { schema: z.string() } } },
        ...problems(),
      },
    },
    handler: async (_request, reply) => {
      for (const [kind, count] of Object.entries(await requests.processingChoiceCounts(organizationId)))
        choices.set({ kind }, count);
      reply.type(registry.contentType);
      return reply.serializer((text: string) => text).send(`${await registry.metrics()}\n${ownMetrics}`);
    },
  });
}
