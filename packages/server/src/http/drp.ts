import type { Application } from './application.ts';
import type { HttpServer } from './operation.ts';
import { partnerOf } from './partner-caller.ts';
import { bodyOf, idOf, sendWire, wireScope } from './wire-scope.ts';

/** Data Rights Protocol 1.0 as privacy infrastructure provider, where the configuration has it. */
export async function drpRoutes(app: HttpServer, { partners }: Pick<Application, 'partners'>): Promise<void> {
  const { drp } = partners;
  if (drp === undefined) return;
  const options = { config: { open: true, partner: 'drp' }, schema: { hide: true } } as const;
  await wireScope(app, (scope) => {
    scope.post('/v1/agent/:id', options, async (request, reply) =>
      sendWire(reply, await drp.setUp({ agentId: idOf(request), body: bodyOf(request).toString('latin1') })),
    );
    scope.get('/v1/agent/:id', options, async (request, reply) =>
      sendWire(reply, await drp.agent({ partner: partnerOf(request), id: idOf(request) })),
    );
    // With a slash at its end until version 0.9.3.
    for (const url of ['/v1/data-rights-request', '/v1/data-rights-request/']) {
      scope.post(url, options, async (request, reply) =>
        sendWire(
          reply,
          await drp.exercise({ partner: partnerOf(request), body: bodyOf(request).toString('latin1') }),
        ),
      );
    }
    scope.get('/v1/data-rights-request/:id', options, async (request, reply) =>
      sendWire(reply, await drp.status({ partner: partnerOf(request), id: idOf(request) })),
    );
    scope.delete('/v1/data-rights-request/:id', options, async (request, reply) => {
      const body = bodyOf(request).toString('latin1');
      return sendWire(reply, await drp.revoke({ partner: partnerOf(request), id: idOf(request), body }));
    });
    scope.get('/v1/data-rights-request/:id/results', options, async (request, reply) =>
      sendWire(reply, await drp.results({ partner: partnerOf(request), id: idOf(request) })),
    );
  });
}
