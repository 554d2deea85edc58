import * as z from 'zod';
import { duration } from './values.ts';

/** How the services at some addresses are spoken to over TLS. Files are PEM, relative to the configuration. */
const clientTls = z
  .strictObject({
    /** `host` or `host:port`. (Default: all addresses) */
    addresses: z.array(z.string()).min(1).optional(),
    /** Authorities to trust instead of those that Node.js knows. */
    ca: z.string().optional(),
    /** The certificate that Habeas shows to services that ask for one (mTLS), and its key. */
    certificate: z.string().optional(),
    key: z.string().optional(),
  })
  .refine(
    (entry) => (entry.certificate === undefined) === (entry.key === undefined),
    'certificate and key go together',
  );

/** How Habeas speaks to the services that answer the contract. */
export const clientsSection = z.strictObject({
  /** Addresses that need no approval by a person: `host`, `host:port`, an IP or a CIDR range. */
  allow: z.array(z.string()).default([]),
  /** How long one call may take. */
  timeout: duration.prefault('10s'),
  /** Most tasks that act on one service at once, per server process. */
  concurrency: z.int().min(1).max(64).default(4),
  /** Which services are spoken to over TLS; the first entry that names an address counts. (Default: none) */
  tls: z.array(clientTls).default([]),
});

export type ClientTlsConfig = z.output<typeof clientTls>;
