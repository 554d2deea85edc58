import ipaddr from 'ipaddr.js';
import { HabeasError } from './errors.ts';
import { type OutboundAddress, parseOutboundAddress } from './outbound-address.ts';

type Ip = ipaddr.IPv4 | ipaddr.IPv6;

export interface OutboundPolicyOptions {
  /** `networks.allow_private`: IP addresses and CIDR ranges that may be called although they are not public. */
  readonly allowPrivate: readonly string[];
  /** `clients.allow`: `host`, `host:port`, IP addresses and CIDR ranges; what they name may be called wherever it is. (Default: none) */
  readonly allow?: readonly string[];
}

/** Says which of the IP addresses that a host stands for Habeas may connect to. */
export type OutboundPolicy = (address: Pick<OutboundAddress, 'host' | 'port'>, ip: string) => boolean;

/** Where clouds answer every program on a machine with its credentials. Only an entry for exactly that address opens it. */
const METADATA: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd20:ce::254',
]);

/** Not an address of one machine: no entry opens it. `0.0.0.0` is loopback to Linux. */
const NEVER: ReadonlySet<string> = new Set(['unspecified', 'broadcast', 'multicast']);

/** Public addresses are allowed, all others only as the options say. Throws CONFIG_INVALID for an entry that cannot be read. */
export function createOutboundPolicy(options: OutboundPolicyOptions): OutboundPolicy {
  const ranges = options.allowPrivate.map((entry) => {
    const range = parseRange(entry);
    if (range !== undefined) return range;
    throw new HabeasError(
      'CONFIG_INVALID',
      `networks.allow_private: "${entry}" is neither an IP address nor a CIDR range such as 10.0.0.0/8.`,
    );
  });
  const hosts = new Set<string>();
  for (const entry of options.allow ?? []) {
    const range = parseRange(entry);
    if (range === undefined) hosts.add(parseHostEntry(entry));
    else ranges.push(range);
  }
  return (address, text) => {
    const ip = ipaddr.process(text);
    if (NEVER.has(ip.range())) return false;
    if (METADATA.has(ip.toString())) return ranges.some((range) => range.isSingle && range.contains(ip));
    if (ip.range() === 'unicast') return true;
    if (hosts.has(address.host) || hosts.has(`${address.host}:${address.port}`)) return true;
    return ranges.some((range) => range.contains(ip));
  };
}

interface Range {
  readonly isSingle: boolean;
  contains(ip: Ip): boolean;
}

function parseRange(entry: string): Range | undefined {
  const text = entry.replace(/^\[(.*)\]$/, '$1');
  // Only the spelling with four decimal parts: the library would take 10.1 for 10.0.0.1.
  const strict = text.includes(':') || /^\d+\.\d+\.\d+\.\d+(?:\/\d+)?$/.test(text);
  if (!strict) return undefined;
  if (ipaddr.isValidCIDR(text)) {
    const [base, bits] = ipaddr.parseCIDR(text);
    const whole = base.kind() === 'ipv4' ? 32 : 128;
    return { isSingle: bits === whole, contains: (ip) => ip.kind() === base.kind() && ip.match(base, bits) };
  }
  if (!ipaddr.isValid(text)) return undefined;
  const one = ipaddr.process(text).toString();
  return { isSingle: true, contains: (ip) => ip.toString() === one };
}

function parseHostEntry(entry: string): string {
  const host = entry.toLowerCase();
  try {
    if (/:\d+$/.test(host)) {
      const address = parseOutboundAddress(host);
      return `${address.host}:${address.port}`;
    }
    return parseOutboundAddress(`${host}:1`).host;
  } catch (cause) {
    throw new HabeasError(
      'CONFIG_INVALID',
      `clients.allow: "${entry}" is not a host, host:port, IP address or CIDR range.`,
      { cause },
    );
  }
}
