import type { Application } from './application.ts';
import type { HttpServer } from './operation.ts';
import { partnerOf } from './partner-caller.ts';
import { bodyOf, idOf, sendWire, wireScope } from './wire-scope.ts';

/** Each path that a controller may know us by: OpenDSR 2.0, and the names of OpenGDPR 1.x, which have to be honoured (§10.1). */
const NAMES = [
  { version: '2.0', discovery: '/v2/discovery', requests: '/v2/requests' },
  { version: '2.0', discovery: undefined, requests: '/v2/opengdpr_requests' },
  { version: '1.0', discovery: '/v1/discovery', requests: '/v1/opengdpr_requests' },
] as const;

/** OpenDSR 2.0 as processor, where the configuration has it. */
export async function openDsrRoutes(
  app: HttpServer,
  { partners }: Pick<Application, 'partners'>,
): Promise<void> {
  const { openDsr } = partners;
  if (openDsr === undefined) return;
  const options = { config: { open: true, partner: 'opendsr' }, schema: { hide: true } } as const;
  await wireScope(app, (scope) => {
    scope.get('/v2/certificate.pem', options, async (_request, reply) =>
      sendWire(reply, await openDsr.certificate()),
    );
    for (const { version, discovery, requests } of NAMES) {
      if (discovery !== undefined)
        scope.get(discovery, options, async (_request, reply) =>
          sendWire(reply, await openDsr.discovery(version)),
        );
      scope.post(requests, options, async (request, reply) =>
        sendWire(
          reply,
          await openDsr.receive({ version, partner: partnerOf(request), body: bodyOf(request) }),
        ),
      );
      for (const [method, act] of [
        ['GET', openDsr.status],
        ['DELETE', openDsr.cancel],
      ] as const) {
        scope.route({
          ...options,
          method,
          url: `${requests}/:id`,
          handler: async (request, reply) =>
            sendWire(reply, await act({ version, partner: partnerOf(request), id: idOf(request) })),
        });
      }
    }
    scope.get('/v2/requests/:id/results', options, async (request, reply) =>
      sendWire(
        reply,
        await openDsr.results({ version: '2.0', partner: partnerOf(request), id: idOf(request) }),
      ),
    );
  });
}
