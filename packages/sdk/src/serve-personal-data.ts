import {
  Code,
  ConnectError,
  type ConnectRouter,
  createRouterTransport,
  type Interceptor,
} from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { health, PDClient, reflection, reflectionAlpha } from '@habeas/contract/pd';
import type { Declared } from './declare.ts';
import { healthService } from './health-service.ts';
import { httpFallback } from './http-fallback.ts';
import { type Handler, listenOnOnePort } from './one-port.ts';
import type { OperationRpc, OperationStore } from './operation-store.ts';
import { createOperations } from './operations.ts';
import { pdRoutes } from './pd-routes.ts';
import type { PersonalDataHandlers } from './personal-data.ts';
import { reflectionRoutes } from './reflection-service.ts';
import { REPORT_DELAYS } from './report.ts';
import { sqliteOperationStore } from './sqlite-operation-store.ts';
import { createTokenVerifier, type PublicKey } from './token-verifier.ts';
import { createTranscoder } from './transcoder.ts';

export interface ServePersonalDataOptions extends PersonalDataHandlers {
  /** The service's name, as in its declarations: tokens must have it as audience. */
  readonly service: string;
  /** 0 takes a free one; see the answer. */
  readonly port: number;
  /** (Default: all interfaces) */
  readonly host?: string;
  /** Whose calls are answered: the public keys that `habeas clients keys` prints. */
  readonly habeas: { readonly publicKeys: readonly PublicKey[] };
  /** What `declare` gave; served at `GET /metrics`. */
  readonly declared?: Pick<Declared, 'metrics'>;
  /** Where operations are kept. (Default: a file `./.habeas-operations.sqlite`) */
  readonly operations?: OperationStore;
  /** PEM; with `clientCa` callers must have a certificate of it. (Default: no TLS, for a mesh or a private network) */
  readonly tls?: { readonly key: string; readonly cert: string; readonly clientCa?: string };
  /** How long a call waits for its handler before it answers RUNNING and goes on, in milliseconds. (Default: 5000) */
  readonly answerWithin?: number;
  /** When Habeas shall ask again for work that goes on, in milliseconds. (Default: 2000) */
  readonly retryAfter?: number;
  /** Most pieces of `later` work at once. (Default: 4) */
  readonly concurrency?: number;
  /** How long a result can be read in pages after the last look at it, in milliseconds. (Default: 10 minutes) */
  readonly keepResults?: number;
  /** Waits before further tries to report an end, in milliseconds. (Default: 5 s to 12 h, eight times) */
  readonly reportDelays?: readonly number[];
  /** Told what handlers throw. (Default: the error's class and stack, without its text, to standard error) */
  readonly onError?: (
    error: unknown,
    during: { readonly rpc: OperationRpc; readonly requestId: string },
  ) => void;
  /** The present. (Default: the system's clock) */
  readonly now?: () => Date;
}

export interface PersonalDataServer {
  readonly port: number;
  close(): Promise<void>;
}

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const DEFAULTS = { answerWithin: 5_000, retryAfter: 2_000, concurrency: 4, keepResults: 600_000 };
const SERVED = [PDClient, health.Health, reflection.ServerReflection, reflectionAlpha.ServerReflection];

/**
 * Answers Habeas for one service: gRPC (without TLS over h2c), Connect and HTTP/JSON, gRPC health and reflection, and `GET /metrics`,
 * all on one port. Rejects when the port is taken, a key or the operations file cannot be used.
 */
export async function servePersonalData(options: ServePersonalDataOptions): Promise<PersonalDataServer> {
  const now = options.now ?? (() => new Date());
  const verify = await createTokenVerifier({
    service: options.service,
    publicKeys: options.habeas.publicKeys,
    now,
  });
  const operations = createOperations({
    handlers: options,
    store: options.operations ?? sqliteOperationStore(),
    now,
    answerWithin: options.answerWithin ?? DEFAULTS.answerWithin,
    concurrency: options.concurrency ?? DEFAULTS.concurrency,
    keepResults: options.keepResults ?? DEFAULTS.keepResults,
    reportDelays: options.reportDelays ?? REPORT_DELAYS,
    onError: options.onError ?? logWithoutText,
  });
  const routes = (router: ConnectRouter) => {
    const retryAfter = options.retryAfter ?? DEFAULTS.retryAfter;
    const implementation = pdRoutes({ service: options.service, handlers: options, operations, retryAfter });
    router.service(PDClient, implementation);
    router.service(health.Health, healthService([PDClient.typeName]));
    reflectionRoutes(router, SERVED);
  };
  const interceptors = [hideForeignErrors, checkToken(verify)];
  const transport = createRouterTransport(routes, { router: { interceptors } });
  const fallback = httpFallback({
    transcoder: createTranscoder([PDClient], transport),
    metrics: () => options.declared?.metrics() ?? '',
  });
  const handler: Handler = connectNodeAdapter({
    routes,
    interceptors,
    fallback,
    readMaxBytes: MAX_MESSAGE_BYTES,
  });
  try {
    const { port, host, tls } = options;
    const server = await listenOnOnePort({ port, host, tls, handler });
    await operations.resume();
    return {
      port: server.port,
      async close() {
        await server.close();
        await operations.close();
      },
    };
  } catch (error) {
    await operations.close();
    throw error;
  }
}

function checkToken(verify: Awaited<ReturnType<typeof createTokenVerifier>>): Interceptor {
  return (next) => async (request) => {
    // Health and reflection tell nothing about people; probes and tools have no token.
    if (request.service.typeName !== PDClient.typeName) return next(request);
    const message: unknown = request.stream ? undefined : request.message;
    const requestId =
      typeof message === 'object' &&
      message !== null &&
      'requestId' in message &&
      typeof message.requestId === 'string'
        ? message.requestId
        : undefined;
    await verify({ authorization: request.header.get('authorization'), rpc: request.method.name, requestId });
    return next(request);
  };
}

/** What the team's code or a library throws may quote personal data, so its text does not leave the process. */
const hideForeignErrors: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    if (error instanceof ConnectError) throw error;
    throw new ConnectError('the service failed', Code.Internal, undefined, undefined, error);
  }
};

function logWithoutText(
  error: unknown,
  during: { readonly rpc: OperationRpc; readonly requestId: string },
): void {
  const name = error instanceof Error ? error.constructor.name : typeof error;
  const stack =
    error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  console.error([`habeas: ${during.rpc} of ${during.requestId} failed: ${name}`, ...stack].join('\n'));
}
