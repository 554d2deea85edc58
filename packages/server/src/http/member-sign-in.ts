import { api } from '@habeas/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { MEMBER_SIGN_IN_MILLISECONDS, MEMBER_SIGN_IN_PATH, type MemberSignIn } from '../access/index.ts';
import { HabeasError } from '../foundation/index.ts';
import type { Application } from './application.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { readCookie, sessionCookies } from './session-cookie.ts';

const PATH = '/api/v1/sign-in';
const COOKIE = 'habeas-member-sign-in';

const startQuery = z.object({
  return_to: z
    .string()
    .max(2_000)
    .refine(isOwnPath, 'a path of this server, such as /requests')
    .default('/app')
    .describe('The page to go on with'),
  confirm: z
    .enum(['true', 'false'])
    .default('false')
    .describe('`true`: show again that it is you, in the session that you have'),
});

const finishQuery = z.object({
  state: z.string().max(500).optional(),
  code: z.string().max(4_000).optional(),
  iss: z.string().max(2_000).optional(),
  error: z.string().max(500).optional(),
  error_description: z.string().max(2_000).optional(),
  session_state: z.string().max(2_000).optional(),
});

type Parts = Pick<Application, 'memberSignIn' | 'sessions' | 'publicUrl' | 'logger'>;

/** `/api/v1/sign-in`: people of the organization sign in where they always do, by OpenID Connect. */
export function memberSignInRoutes(app: HttpServer, application: Parts): void {
  const { memberSignIn, sessions, publicUrl, logger } = application;
  const cookies = sessionCookies({ publicUrl });
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  const remember = (reply: FastifyReply, sealed: string, seconds: number) =>
    reply
      .header('cache-control', 'no-store')
      // Lax: the browser comes back from another site.
      .header(
        'set-cookie',
        `${COOKIE}=${sealed}; Path=${PATH}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`,
      );

  app.get(PATH, {
    config: { open: true },
    schema: {
      ...operation({
        id: 'listWaysToSignIn',
        tag: 'Sessions',
        summary: 'How people can sign in here',
        open: true,
      }),
      response: { 200: api.waysToSignInSchema.describe('The ways'), ...problems([], { open: true }) },
    },
    handler: async () => ({
      api_key: true as const,
      provider: memberSignIn === undefined ? null : { name: memberSignIn.name, url: `${PATH}/start` },
    }),
  });

  app.get(`${PATH}/start`, {
    config: { open: true },
    schema: {
      // For browsers that are sent there, not for programs.
      hide: true,
      ...operation({
        id: 'startMemberSignIn',
        tag: 'Sessions',
        summary: "Go to the organization's own sign-in, in a browser",
        open: true,
      }),
      querystring: startQuery,
      response: {
        303: z.undefined().describe('To the sign-in'),
        ...problems(['BAD_INPUT', 'UNAUTHENTICATED', 'NOT_FOUND', 'SYSTEM_UNREACHABLE'], { open: true }),
      },
    },
    handler: async (request, reply) => {
      const { return_to: returnTo, confirm } = request.query;
      const confirms = confirm === 'true' ? await signedInOf(request) : undefined;
      const { url, sealed } = await existing().begin({ returnTo, confirms });
      remember(reply, sealed, MEMBER_SIGN_IN_MILLISECONDS / 1_000);
      return reply.code(303).header('location', url).send(undefined);
    },
  });

  app.get(MEMBER_SIGN_IN_PATH, {
    config: { open: true },
    schema: {
      hide: true,
      ...operation({
        id: 'finishMemberSignIn',
        tag: 'Sessions',
        summary: 'Where the sign-in sends the browser back to',
        description:
          'Goes on to the page that `return_to` named; what was refused is in `sign_in_error`: a code such as `FORBIDDEN`.',
        open: true,
      }),
      querystring: finishQuery,
      response: {
        303: z.undefined().describe('To the page'),
        ...problems(['BAD_INPUT'], { open: true }),
      },
    },
    handler: async (request, reply) => {
      const sealed = readCookie(request.headers.cookie, COOKIE);
      remember(reply, '', 0);
      const url = new URL(request.url, publicUrl);
      try {
        const { returnTo, started } = await existing().finish({ url, sealed });
        if (started !== undefined) cookies.set(reply, started.token);
        return reply.code(303).header('location', returnTo).send(undefined);
      } catch (error) {
        // Somebody looks at this in a browser: they get a page that says it.
        if (!(error instanceof HabeasError)) throw error;
        logger.info({ code: error.code }, 'A sign-in was refused');
        return reply.code(303).header('location', `/app?sign_in_error=${error.code}`).send(undefined);
      }
    },
  });

  function existing(): MemberSignIn {
    if (memberSignIn !== undefined) return memberSignIn;
    throw new HabeasError('NOT_FOUND', 'There is no sign-in here: name one under sign_in in habeas.yaml.');
  }

  async function signedInOf(request: FastifyRequest) {
    const token = cookies.tokenOf(request.headers.cookie);
    const signedIn = token === undefined ? undefined : await sessions.authenticate(token);
    if (signedIn === undefined)
      throw new HabeasError('UNAUTHENTICATED', 'The session has ended: sign in again.');
    return signedIn;
  }
}

/** Nothing that a browser would take for the name of another host. */
function isOwnPath(path: string): boolean {
  const base = 'http://own.invalid';
  return path.startsWith('/') && URL.canParse(path, base) && new URL(path, base).origin === base;
}
