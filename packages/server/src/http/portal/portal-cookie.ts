import type { FastifyReply } from 'fastify';
import { readCookie } from '../session-cookie.ts';
import { PORTAL_PATH } from './portal.ts';

/** A day: people do this on machines of others, too. */
const SECONDS = 86_400;
/** 256 random bits in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * What a browser keeps of a request: its token, which no script reads. In a frame of another site a cookie is kept for that pair of
 * sites alone (CHIPS), and only over TLS.
 */
export function portalCookie(
  name: string,
  { publicUrl, framed }: { readonly publicUrl: string; readonly framed: boolean },
) {
  const secure = publicUrl.startsWith('https:');
  const site = framed && secure ? 'SameSite=None; Partitioned' : 'SameSite=Lax';
  const set = (reply: FastifyReply, token: string, seconds: number) =>
    reply.header(
      'set-cookie',
      `${name}=${token}; Path=${PORTAL_PATH}; Max-Age=${seconds}; HttpOnly; ${site}${secure ? '; Secure' : ''}`,
    );
  return {
    read(header: string | undefined): string | undefined {
      const token = readCookie(header, name);
      return token !== undefined && TOKEN.test(token) ? token : undefined;
    },
    set: (reply: FastifyReply, token: string) => set(reply, token, SECONDS),
    clear: (reply: FastifyReply) => set(reply, '', 0),
  };
}

/** The token in a link of a mail, or alone; undefined where there is none. */
export function tokenOfLink(
  link: string,
): { readonly token: string; readonly isPackage: boolean } | undefined {
  const text = link.trim();
  const token = text.slice(text.lastIndexOf('#') + 1);
  return TOKEN.test(token) ? { token, isPackage: /\/package(\?[^#]*)?#/.test(text) } : undefined;
}
