import type { FastifyReply } from 'fastify';
import { SESSION_MILLISECONDS } from '../access/index.ts';

/*
 * The cookie of a session (RFC 6265): no script reads it, no other site makes a browser send it. Behind TLS its name says that it
 * came over TLS from this very host (`__Host-`, RFC 6265bis §4.1.3.2), so that no other one can set it.
 */

const NAME = 'habeas-session';

export function sessionCookies({ publicUrl }: { readonly publicUrl: string }) {
  const secure = publicUrl.startsWith('https:');
  const name = secure ? `__Host-${NAME}` : NAME;
  const set = (reply: FastifyReply, token: string, seconds: number) =>
    reply.header(
      'set-cookie',
      `${name}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure ? '; Secure' : ''}`,
    );
  return {
    /** The token in a `Cookie` header, or nothing. */
    tokenOf: (header: string | undefined) => readCookie(header, name),
    set: (reply: FastifyReply, token: string) => set(reply, token, SESSION_MILLISECONDS / 1_000),
    clear: (reply: FastifyReply) => set(reply, '', 0),
  };
}

/** The value in a `Cookie` header; undefined if there is none, or an empty one. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  const value = pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  return value === '' ? undefined : value;
}
