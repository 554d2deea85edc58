import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Application } from './application.ts';
import { askRoutes } from './ask.ts';
import { askSignInRoutes } from './ask-sign-in.ts';
import { auditRoutes } from './audit.ts';
import { auditLogRoutes } from './audit-log.ts';
import { backEndRoutes } from './back-end.ts';
import { bounceRoutes } from './bounces.ts';
import { CallLogger } from './call-logger.ts';
import { callbackRoutes } from './callbacks.ts';
import { catalogRoutes } from './catalog.ts';
import { clientRoutes } from './clients.ts';
import { closeConnections } from './close-connections.ts';
import { connectionRoutes } from './connections.ts';
import { consentRoutes } from './consent.ts';
import { consentExportRoutes } from './consent-exports.ts';
import { consentImportRoutes } from './consent-import.ts';
import { consentPropagationRoutes } from './consent-propagation.ts';
import { allowOrigins, consentTagRoutes } from './consent-tag.ts';
import { consentTagFileRoutes } from './consent-tag-files.ts';
import { dashboardRoutes } from './dashboard.ts';
import { deadlineRoutes } from './deadlines.ts';
import { declarationRoutes } from './declarations.ts';
import { drpRoutes } from './drp.ts';
import { drpProofRoutes } from './drp-proof.ts';
import { enforceSqlRoutes } from './enforce-sql.ts';
import { handleError, handleUnknownRoute } from './error-handler.ts';
import { eventRoutes } from './events.ts';
import { gapRoutes } from './gaps.ts';
import { healthRoutes } from './health.ts';
import { importRoutes } from './imports.ts';
import { jobRunRoutes } from './job-runs.ts';
import { keyRoutes } from './keys.ts';
import { legalHoldRoutes } from './legal-holds.ts';
import { mapRoutes } from './map.ts';
import { mapExportRoutes } from './map-exports.ts';
import { memberSignInRoutes } from './member-sign-in.ts';
import { memberRoutes } from './members.ts';
import { metricsRoutes } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { openApiRoutes } from './openapi-routes.ts';
import { openDsrRoutes } from './opendsr.ts';
import type { HttpServer } from './operation.ts';
import { scopeRoutes } from './operation-scope.ts';
import { packageLinkRoutes } from './package-links.ts';
import { packageRoutes } from './packages.ts';
import { partnerRoutes } from './partners.ts';
import { pauseRoutes } from './pauses.ts';
import { planRoutes } from './plans.ts';
import { policyRoutes } from './policy.ts';
import { portalRoutes } from './portal/portal-routes.ts';
import { processingChoicesRoutes } from './processing-choices.ts';
import { createRateLimiters, DEFAULT_RATE_LIMITS, type RateLimits } from './rate-limit.ts';
import { referenceRoutes } from './reference.ts';
import { refuseNul } from './refuse-nul.ts';
import { requestCommandRoutes } from './request-commands.ts';
import { logRequests, newRequestId } from './request-log.ts';
import { requestRoutes } from './requests.ts';
import { recordRoutes } from './route-table.ts';
import { refuseOtherOrigins } from './same-origin.ts';
import { sendSecurityHeaders } from './security-headers.ts';
import { sessionRoutes } from './sessions.ts';
import { signIn } from './sign-in.ts';
import { taskRoutes } from './tasks.ts';
import { ticketRoutes } from './tickets.ts';
import { trackerReportRoutes } from './tracker-reports.ts';
import { verificationRoutes } from './verification.ts';
import { webhookRoutes } from './webhooks.ts';

export interface CreateHttpServerOptions {
  /** (Default: 12,000 calls a minute for a key, 300 for an address without one) */
  readonly rateLimits?: RateLimits;
  /** How often a comment goes out on an event stream. (Default: 15 seconds) */
  readonly heartbeatMilliseconds?: number;
}

/** Largest JSON body. The largest that means something is a request with 20 identities of 1,000 characters. */
const BODY_LIMIT_BYTES = 128 * 1024;
/** How long a client may take to send its request; against connections that trickle. */
const REQUEST_TIMEOUT_MILLISECONDS = 30_000;

/** How long a connection may stay open unused. Longer than what proxies keep theirs, so that they are the ones who close. */
const KEEP_ALIVE_TIMEOUT_MILLISECONDS = 75_000;

/** The REST API of one application, ready to `listen` or `inject`. Does not start or stop the application. */
export async function createHttpServer(
  application: Application,
  options: CreateHttpServerOptions = {},
): Promise<HttpServer> {
  const logger: FastifyBaseLogger = application.logger;
  const app: HttpServer = Fastify({
    loggerInstance: logger,
    // Fastify's own request lines hold the URL; ours hold the route.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    childLoggerFactory: (parent, bindings) => new CallLogger(parent, bindings),
    genReqId: newRequestId,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
    trustProxy: [...application.trustedProxies],
    exposeHeadRoutes: false,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MILLISECONDS,
    frameworkErrors: (error, request, reply) => {
      handleError(error, request, reply);
    },
  }).withTypeProvider<ZodTypeProvider>();

  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(handleUnknownRoute);
  // JSON or nothing: a form or plain text can be sent by a page of any other site without asking.
  app.removeContentTypeParser('text/plain');

  closeConnections(app);
  scopeRoutes(app);
  recordRoutes(app);
  logRequests(app, application.logger);
  await sendSecurityHeaders(app);
  const limiters = await createRateLimiters(app, options.rateLimits ?? DEFAULT_RATE_LIMITS);
  // Before anything is refused: a page has to be able to read why.
  app.addHook('onRequest', allowOrigins(application));
  app.addHook('onRequest', signIn(application, limiters));
  app.addHook('onRequest', refuseOtherOrigins);
  app.addHook('onRequest', refuseNul);
  await describeApi(app);

  requestRoutes(app, application);
  requestCommandRoutes(app, application);
  deadlineRoutes(app, application);
  taskRoutes(app, application);
  packageRoutes(app, application);
  packageLinkRoutes(app, application);
  planRoutes(app, application);
  policyRoutes(app, application);
  legalHoldRoutes(app, application);
  pauseRoutes(app, application);
  webhookRoutes(app, application);
  ticketRoutes(app, application);
  processingChoicesRoutes(app, application);
  consentRoutes(app, application);
  consentPropagationRoutes(app, application);
  consentExportRoutes(app, application);
  jobRunRoutes(app, application);
  enforceSqlRoutes(app, application);
  consentTagRoutes(app, application);
  consentTagFileRoutes(app);
  mapRoutes(app, application);
  gapRoutes(app, application);
  catalogRoutes(app, application);
  mapExportRoutes(app, application);
  declarationRoutes(app, application);
  clientRoutes(app, application);
  connectionRoutes(app, application);
  keyRoutes(app, application);
  sessionRoutes(app, application);
  memberRoutes(app, application);
  memberSignInRoutes(app, application);
  partnerRoutes(app, application);
  auditRoutes(app, application);
  auditLogRoutes(app, application);
  eventRoutes(app, application, { heartbeatMilliseconds: options.heartbeatMilliseconds });
  askRoutes(app, application);
  askSignInRoutes(app, application);
  verificationRoutes(app, application);
  await portalRoutes(app, application);
  await backEndRoutes(app, application);
  await bounceRoutes(app, application);
  await callbackRoutes(app, application);
  await trackerReportRoutes(app, application);
  await importRoutes(app, application);
  await consentImportRoutes(app, application);
  await openDsrRoutes(app, application);
  await drpRoutes(app, application);
  await drpProofRoutes(app, application);
  healthRoutes(app, application);
  metricsRoutes(app, application);
  openApiRoutes(app);
  referenceRoutes(app);
  dashboardRoutes(app);
  await app.ready();
  return app;
}
