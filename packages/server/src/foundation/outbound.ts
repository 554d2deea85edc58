import { lookup as systemLookup } from 'node:dns';
import { connect, type LookupFunction, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { HabeasError } from './errors.ts';
import { formatOutboundAddress, type OutboundAddress } from './outbound-address.ts';
import type { OutboundPolicy } from './outbound-policy.ts';

/** Connects to addresses that came from outside. */
export interface Outbound {
  /**
   * Begins a connection to an IP address that the policy was asked about: a name is resolved once, each of its addresses is
   * checked, and the connection goes to one that passed, so that a second answer of the DNS changes nothing. Throws, or ends the
   * socket with, ADDRESS_NOT_APPROVED when none passes.
   */
  connect(address: OutboundAddress, tls?: OutboundTls): Socket | TLSSocket;
}

/** How to speak TLS. The certificate must fit the address' host. */
export interface OutboundTls {
  /** PEM; instead of the authorities that Node knows. */
  readonly ca?: string | undefined;
  /** PEM of our own certificate and its key, for services that ask for one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Protocols to offer. */
  readonly alpn: readonly ('h2' | 'http/1.1')[];
}

export interface OutboundOptions {
  readonly policy: OutboundPolicy;
  /** Finds the IP addresses of a name, all at once. (Default: the system's resolver) */
  readonly lookup?: NameLookup;
}

export type NameLookup = (
  host: string,
  done: (
    error: Error | null,
    addresses: readonly { readonly address: string; readonly family: number }[],
  ) => void,
) => void;

/** The one way in which Habeas reaches an address that came from outside. */
export function createOutbound({ policy, lookup = resolveAll }: OutboundOptions): Outbound {
  return {
    connect(address, tls) {
      const { host, port } = address;
      if (address.ip !== undefined && !policy(address, address.ip.toString())) throw refused(address);
      const socket = connect({
        host: address.ip?.toString() ?? host,
        port,
        lookup: checkedLookup(address, policy, lookup),
        noDelay: true,
      });
      return tls === undefined ? socket : connectTls({ socket, ...tlsOptions(address, tls) });
    },
  };
}

/** What `net.connect` asks for the addresses of a name: it gets only those that the policy allows. */
function checkedLookup(address: OutboundAddress, policy: OutboundPolicy, lookup: NameLookup): LookupFunction {
  return (host, options, done) => {
    lookup(host, (error, found) => {
      if (error !== null) {
        done(error, []);
        return;
      }
      const allowed = found.filter((entry) => policy(address, entry.address));
      const first = allowed[0];
      if (first === undefined) done(refused(address), []);
      else if (options.all === true) done(null, [...allowed]);
      else done(null, first.address, first.family);
    });
  };
}

const resolveAll: NameLookup = (host, done) => systemLookup(host, { all: true }, done);

function tlsOptions({ host, ip }: OutboundAddress, tls: OutboundTls): ConnectionOptions {
  return {
    host,
    // A server name is a DNS name (RFC 6066 §3); for an IP address Node compares the certificate with `host`.
    ...(ip === undefined ? { servername: host } : {}),
    ALPNProtocols: [...tls.alpn],
    minVersion: 'TLSv1.2',
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
}

function refused(address: OutboundAddress): HabeasError {
  return new HabeasError(
    'ADDRESS_NOT_APPROVED',
    `${formatOutboundAddress(address)} leads into a network that Habeas does not call. If it is yours, add its range to networks.allow_private.`,
  );
}
