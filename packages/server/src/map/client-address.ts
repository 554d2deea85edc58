import ipaddr from 'ipaddr.js';
import { HabeasError } from '../foundation/index.ts';

/** Where a client listens. */
export interface ClientAddress {
  /** In lower case; an IP in its shortest form, an IPv4 address in IPv6 clothes as IPv4. */
  readonly host: string;
  readonly port: number;
  readonly ip: ipaddr.IPv4 | ipaddr.IPv6 | undefined;
}

const HOST_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** `host:port`, `1.2.3.4:port` or `[::1]:port`, and nothing else: no scheme, user, path, or number that some parser takes for an IP. */
export function parseClientAddress(text: string): ClientAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65_535) return undefined;
  if (bracketed !== undefined) {
    if (!ipaddr.IPv6.isValid(bracketed) || bracketed.includes('%')) return undefined;
    return withIp(bracketed, port);
  }
  return plain === undefined ? undefined : parseHost(plain, port);
}

/** The one way to write an address, so that two spellings are one client. */
export function formatClientAddress(address: ClientAddress): string {
  return address.ip?.kind() === 'ipv6'
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

/** Says whether an address needs no approval by a person. */
export type AllowList = (address: ClientAddress) => boolean;

/**
 * `entries`: `host`, `host:port`, an IP, or a CIDR range. A range matches addresses that are written as an IP; a name is
 * never looked up, because what it means can change between the check and the call. Throws CONFIG_INVALID.
 */
export function createAllowList(entries: readonly string[]): AllowList {
  const rules = entries.map(parseEntry);
  return (address) => rules.some((rule) => rule(address));
}

function parseEntry(entry: string): AllowList {
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(entry) || ipaddr.IPv6.isValidCIDR(entry)) {
    const [range, bits] = ipaddr.parseCIDR(entry);
    return ({ ip }) => ip?.kind() === range.kind() && ip.match(range, bits);
  }
  const whole = parseClientAddress(entry);
  if (whole !== undefined) return (address) => address.host === whole.host && address.port === whole.port;
  const host = ipaddr.IPv6.isValid(entry) ? withIp(entry, 0) : parseHost(entry, 0);
  if (host !== undefined) return (address) => address.host === host.host;
  throw new HabeasError(
    'CONFIG_INVALID',
    `clients.allow: "${entry}" is not a host, host:port, IP address or CIDR range.`,
  );
}

function parseHost(text: string, port: number): ClientAddress | undefined {
  const host = text.toLowerCase();
  if (ipaddr.IPv4.isValidFourPartDecimal(host)) return withIp(host, port);
  const labels = host.split('.');
  const last = labels.at(-1) ?? '';
  // `127.1`, `0x7f000001`, `2130706433`: names to us, IP addresses to some resolvers (WHATWG URL, "ends in a number").
  if (/^(\d+|0x[0-9a-f]*)$/.test(last)) return undefined;
  if (host.length > 253 || !labels.every((label) => HOST_LABEL.test(label))) return undefined;
  return { host, port, ip: undefined };
}

function withIp(text: string, port: number): ClientAddress {
  const ip = ipaddr.process(text);
  return { host: ip.toString(), port, ip };
}
