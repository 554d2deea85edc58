import ipaddr from 'ipaddr.js';
import { HabeasError } from './errors.ts';

/** Where to connect: a DNS name or an IP address, and a port. */
export interface OutboundAddress {
  /** In lower case; an IPv6 address without brackets. */
  readonly host: string;
  /** The IP address that `host` is, if it is one and not a name. An IPv4 address in IPv6 clothes is unwrapped. */
  readonly ip: ipaddr.IPv4 | ipaddr.IPv6 | undefined;
  readonly port: number;
}

const MAX_NAME = 253;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * Reads `host:port`, and nothing else. Whatever some resolver or client would read as something other than what stands there is
 * refused: schemes (`unix:`, `dns:///`), credentials, paths, numbers that stand for an IPv4 address (`0x7f.1`, `2130706433`),
 * zones, escapes, names in Unicode. Throws ADDRESS_NOT_APPROVED; the error does not quote the text, which anyone may have written.
 */
export function parseOutboundAddress(text: string): OutboundAddress {
  const parts = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253})):([1-9]\d{0,4})$/i.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65_535) throw unreadable();
  const v6 = parts[1];
  if (v6 !== undefined) {
    if (!ipaddr.IPv6.isValid(v6)) throw unreadable();
    return { host: v6.toLowerCase(), ip: ipaddr.process(v6), port };
  }
  const host = (parts[2] ?? '').toLowerCase();
  if (/^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(host) && ipaddr.IPv4.isValid(host)) {
    return { host, ip: ipaddr.IPv4.parse(host), port };
  }
  const labels = host.split('.');
  // WHATWG URL, "ends in a number": such a host is an IPv4 address to resolvers, whatever it looks like.
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) throw unreadable();
  if (host.length > MAX_NAME || !labels.every((label) => LABEL.test(label))) throw unreadable();
  return { host, ip: undefined, port };
}

/** `host:port` in the one spelling that the logs and errors use. */
export function formatOutboundAddress({ host, port }: Pick<OutboundAddress, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function unreadable(): HabeasError {
  return new HabeasError(
    'ADDRESS_NOT_APPROVED',
    'An address is not written as host:port with a DNS name, an IPv4 address, or an IPv6 address in brackets, and no scheme, user or path. Correct it where it is declared.',
  );
}
