import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { health } from '@habeas/contract/pd';

const SERVING = health.HealthCheckResponse_ServingStatus.SERVING;
const UNKNOWN = health.HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN;

/** gRPC health (grpc.health.v1): serving for as long as the process answers at all; `names` and the server itself (`""`). */
export function healthService(names: readonly string[]): ServiceImpl<typeof health.Health> {
  const known = new Set(['', ...names]);
  return {
    check({ service }) {
      if (!known.has(service)) throw new ConnectError('unknown service', Code.NotFound);
      return { status: SERVING };
    },
    list() {
      return { statuses: Object.fromEntries([...known].map((name) => [name, { status: SERVING }])) };
    },
    async *watch({ service }, context) {
      yield { status: known.has(service) ? SERVING : UNKNOWN };
      // The status never changes, and the stream ends with its caller.
      await new Promise<void>((resolve) => {
        if (context.signal.aborted) resolve();
        else context.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
  };
}
