import { HabeasError, type OutboundAddress, parseOutboundAddress } from '../../foundation/index.ts';

/**
 * Checks an address to which a partner wants to be told: `https` or `http`, without user and fragment, at an origin that was
 * approved for this partner. Throws ADDRESS_NOT_APPROVED, without the address, which may hold a secret.
 */
export function checkCallbackUrl(text: string, origins: readonly string[]): void {
  const url = URL.parse(text);
  const isPlain =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    url.hash === '';
  if (isPlain && origins.includes(url.origin)) return;
  throw new HabeasError(
    'ADDRESS_NOT_APPROVED',
    'A callback address is not at an origin that was approved for this partner. Ask who runs this server to allow it.',
  );
}

/** Where a checked address is. */
export function callbackTarget(text: string): {
  readonly address: OutboundAddress;
  readonly isTls: boolean;
  readonly path: string;
} {
  const url = new URL(text);
  const isTls = url.protocol === 'https:';
  const port = url.port === '' ? (isTls ? '443' : '80') : url.port;
  return {
    address: parseOutboundAddress(`${url.hostname}:${port}`),
    isTls,
    path: `${url.pathname}${url.search}`,
  };
}
