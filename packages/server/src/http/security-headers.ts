import helmet from '@fastify/helmet';
import Fastify from 'fastify';
import type { HttpServer } from './operation.ts';

/**
 * Sends with every answer what helmet sends, for browsers that get it by accident or by an attack; a page says otherwise where it has to. Helmet makes
 * the same headers anew for each answer, which takes longer than the rest of HTTP, so it is asked once.
 */
export async function sendSecurityHeaders(app: HttpServer): Promise<void> {
  const headers = await headersOfHelmet();
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

async function headersOfHelmet(): Promise<Readonly<Record<string, string>>> {
  await using asked = Fastify();
  await asked.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    referrerPolicy: { policy: 'no-referrer' },
    // The server speaks HTTP behind whatever ends TLS; that part decides about HSTS.
    strictTransportSecurity: false,
  });
  asked.get('/', async (_request, reply) => reply.raw.getHeaders());
  return (await asked.inject('/')).json();
}
