import type { FastifyReply } from 'fastify';
import type { PackageLinks } from '../requests/index.ts';

export const PACKAGE_COOKIE = 'habeas_package';

/** Lets this browser download what was opened, for a day. */
export function packageCookie(
  reply: FastifyReply,
  { secret, linkId }: Pick<Awaited<ReturnType<PackageLinks['open']>>, 'secret' | 'linkId'>,
  publicUrl: string,
): FastifyReply {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  return reply.header(
    'set-cookie',
    `${PACKAGE_COOKIE}=${secret}; Path=/api/v1/package-downloads/${linkId}; HttpOnly; SameSite=Strict; Max-Age=86400${secure}`,
  );
}
