import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';

/**
 * The network address that limits count for: of IPv6 the first 64 bits, because one line has all addresses that begin with them
 * (RFC 6177).
 */
export function clientOf({ ip }: Pick<FastifyRequest, 'ip'>): string {
  if (!ipaddr.isValid(ip)) return 'unknown';
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return `${address.toByteArray().slice(0, 8).join('.')}/64`;
}
