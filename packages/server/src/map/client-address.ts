import ipaddr from 'ipaddr.js';
import {
  formatOutboundAddress,
  HabeasError,
  type OutboundAddress,
  parseOutboundAddress,
} from '../foundation/index.ts';

/** Where a client listens. An IP address in its shortest form, an IPv4 address in IPv6 clothes as IPv4. */
export type ClientAddress = OutboundAddress;

/** `host:port`, `1.2.3.4:port` or `[::1]:port`, and nothing else: no scheme, user, path, or number that some parser takes for an IP. */
export function parseClientAddress(text: string): ClientAddress | undefined {
  try {
    const address = parseOutboundAddress(text);
    return address.ip === undefined ? address : { ...address, host: address.ip.toString() };
  } catch {
    return undefined;
  }
}

/** The one way to write an address, so that two spellings are one client. */
export const formatClientAddress = formatOutboundAddress;

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
  const host = parseClientAddress(`${ipaddr.IPv6.isValid(entry) ? `[${entry}]` : entry}:1`);
  if (host !== undefined) return (address) => address.host === host.host;
  throw new HabeasError(
    'CONFIG_INVALID',
    `clients.allow: "${entry}" is not a host, host:port, IP address or CIDR range.`,
  );
}
