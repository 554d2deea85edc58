import { api } from '@habeas/contract';
import * as z from 'zod';
import type { Application } from './application.ts';
import { verificationOf } from './ask.ts';
import { clientOf } from './client-of.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { PORTAL_PATH } from './portal/portal.ts';
import { portalCookie } from './portal/portal-cookie.ts';
import { readCookie } from './session-cookie.ts';

const COOKIE = 'habeas-sign-in';
const SIGN_IN_PATH = '/api/v1/public/sign-in';
const SECONDS = 600;

const query = z.object({
  state: z.string().max(500).optional(),
  code: z.string().max(2_000).optional(),
  iss: z.string().max(2_000).optional(),
  error: z.string().max(500).optional(),
  error_description: z.string().max(2_000).optional(),
  session_state: z.string().max(2_000).optional(),
});

/** The organization's own users prove who they are by signing in there, and come back. */
export function askSignInRoutes(
  app: HttpServer,
  {
    requests,
    publicUrl,
    intakePage,
    portal,
  }: Pick<Application, 'requests' | 'publicUrl' | 'intakePage' | 'portal'>,
): void {
  app.post('/api/v1/public/requests::sign-in', {
    config: { open: true },
    schema: {
      ...operation({
        id: 'startSignIn',
        tag: 'People',
        summary: "Begin to sign in at the organization's own sign-in",
        description: 'Sets a cookie: the browser that comes back has to be the one that began.',
        open: true,
      }),
      body: api.resumeAskedSchema,
      response: {
        200: api.signInStartSchema.describe('Where the browser goes next'),
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT', 'SYSTEM_UNREACHABLE'], { open: true }),
      },
    },
    handler: async (request, reply) => {
      const { token } = request.body;
      const started = await verificationOf(requests).startSignIn({ token, client: clientOf(request) });
      const secure = publicUrl.startsWith('https:');
      return reply
        .header('cache-control', 'no-store')
        .header(
          'set-cookie',
          `${COOKIE}=${started.browserSecret}; Path=${SIGN_IN_PATH}; Max-Age=${SECONDS}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`,
        )
        .send({ url: started.url });
    },
  });

  app.get(SIGN_IN_PATH, {
    config: { open: true },
    schema: {
      ...operation({
        id: 'finishSignIn',
        tag: 'People',
        summary: 'Where the sign-in sends the browser back to',
        description:
          'Goes on to `intake.page` with a token in the fragment; where there is no such page, answers with the token.',
        open: true,
      }),
      querystring: query,
      response: {
        200: api.resumeAskedSchema.describe('What to go on with'),
        303: z.undefined().describe('To the page, with a token in the fragment'),
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'PROOF_REFUSED'], { open: true }),
      },
    },
    handler: async (request, reply) => {
      const url = new URL(request.url, publicUrl);
      const browserSecret = readCookie(request.headers.cookie, COOKIE);
      const client = clientOf(request);
      const { token } = await verificationOf(requests).finishSignIn({ url, browserSecret, client });
      reply
        .header('cache-control', 'no-store')
        .header('set-cookie', `${COOKIE}=; Path=${SIGN_IN_PATH}; Max-Age=0; HttpOnly; SameSite=Lax`);
      if (intakePage === undefined) return reply.send({ token });
      if (intakePage === `${publicUrl}${PORTAL_PATH}/request`) {
        // Our own page needs no script to take it.
        portalCookie('habeas-request', { publicUrl, framed: (portal?.frames.length ?? 0) > 0 }).set(
          reply,
          token,
        );
        return reply.code(303).header('location', intakePage).send(undefined);
      }
      const page = new URL(intakePage);
      page.hash = token;
      return reply.code(303).header('location', page.href).send(undefined);
    },
  });
}
