import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import {
  type ClientTlsConfig,
  type Config,
  formatOutboundAddress,
  HabeasError,
  type OutboundTls,
  parseOutboundAddress,
} from '../../foundation/index.ts';

/** How the service at an address is spoken to over TLS; undefined: in the clear. */
export type ClientTls = (address: string) => Omit<OutboundTls, 'alpn'> | undefined;

/**
 * Reads `clients.tls` and its files, once: after a change the server is started again. Throws CONFIG_INVALID for an address that
 * is none and for a file that cannot be read or used.
 */
export function createClientTls(config: Pick<Config, 'clients' | 'folder' | 'file'>): ClientTls {
  const entries = config.clients.tls.map((entry, index) => readEntry(entry, { config, index }));
  return (text) => {
    const address = parseOutboundAddress(text);
    const names = [address.host, formatOutboundAddress(address)];
    return entries.find(
      ({ addresses }) => addresses === undefined || names.some((name) => addresses.has(name)),
    )?.tls;
  };
}

interface Place {
  readonly config: Pick<Config, 'folder' | 'file'>;
  /** Which entry of `clients.tls` it is, from 0. */
  readonly index: number;
}

function readEntry({ addresses, ca, certificate, key }: ClientTlsConfig, place: Place) {
  const tls = {
    ca: read('ca', ca, place),
    cert: read('certificate', certificate, place),
    key: read('key', key, place),
  };
  try {
    createSecureContext(tls);
    // The context takes a file without any certificate, and would then trust nobody.
    if (tls.ca !== undefined) new X509Certificate(tls.ca);
  } catch (cause) {
    throw invalid('its files are not PEM, or the key is not that of the certificate', place, cause);
  }
  return { addresses: addresses && new Set(addresses.map((address) => canonical(address, place))), tls };
}

function read(name: string, file: string | undefined, place: Place): string | undefined {
  if (file === undefined) return undefined;
  const path = resolve(place.config.folder, file);
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw invalid(`${name}: ${path} cannot be read`, place, cause);
  }
}

/** `host` or `host:port` in the one spelling that addresses are compared in. */
function canonical(text: string, place: Place): string {
  try {
    const hasPort = /(?:^[^:]*|\]):\d+$/.test(text);
    if (hasPort) return formatOutboundAddress(parseOutboundAddress(text));
    return parseOutboundAddress(`${/^[^[].*:/.test(text) ? `[${text}]` : text}:1`).host;
  } catch (cause) {
    throw invalid(`"${text}" is neither a host nor host:port`, place, cause);
  }
}

function invalid(what: string, { config, index }: Place, cause: unknown): HabeasError {
  const where = config.file === undefined ? '' : `${config.file}: `;
  return new HabeasError('CONFIG_INVALID', `${where}clients.tls.${index}: ${what}.`, {
    cause,
    ...(config.file === undefined ? {} : { place: { file: config.file } }),
  });
}
