import type { Identity } from '../../../catalog/index.ts';
import {
  createOutbound,
  createOutboundPolicy,
  HabeasError,
  type Outbound,
  type OutboundTls,
  parseOutboundAddress,
} from '../../../foundation/index.ts';
import { type ConformanceResult, runCase, skipped } from '../../conformance/index.ts';
import { grpcTransport } from '../grpc-transport.ts';
import { httpTransport } from '../http-transport.ts';
import type { SignToken } from '../pd-call.ts';
import { changeCases } from './change-cases.ts';
import { createKit } from './conformance-kit.ts';
import { describeCases } from './describe-cases.ts';
import { eraseCases } from './erase-cases.ts';
import { keyCases } from './key-cases.ts';
import { personCases } from './person-cases.ts';
import type { ServiceCase } from './service-case.ts';
import { tokenCases } from './token-cases.ts';

export interface ConformanceOptions {
  /** `host:port`. */
  readonly address: string;
  readonly protocol: 'grpc' | 'http';
  readonly tls?: Omit<OutboundTls, 'alpn'> | undefined;
  /** The service's name: the audience of tokens. */
  readonly service: string;
  readonly signToken: SignToken;
  /** Signs tokens that have expired. Without it the case is skipped. */
  readonly signExpiredToken?: SignToken | undefined;
  /** A test person who exists at the service, and whose data is gone afterwards. */
  readonly subject: readonly Identity[];
  /** A person who does not exist. (Default: one that nobody is) */
  readonly unknownSubject?: readonly Identity[] | undefined;
  /** False leaves the test person's data: cases that erase are skipped. (Default: true) */
  readonly erase?: boolean | undefined;
  /** For one call, in milliseconds. (Default: 10000) */
  readonly timeoutMilliseconds?: number | undefined;
  /** For an asynchronous operation to its end, in milliseconds. (Default: 60000) */
  readonly patienceMilliseconds?: number | undefined;
  /** (Default: one that reaches private networks, because a person named the address) */
  readonly outbound?: Outbound | undefined;
  /** Told each result as soon as it is there. */
  readonly onCase?: ((result: ConformanceResult) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** All cases, in the order in which they run: those that erase come last. */
export const conformanceCases: readonly ServiceCase[] = [
  ...describeCases,
  ...tokenCases,
  ...personCases,
  ...keyCases,
  ...changeCases,
  ...eraseCases,
];

const TIMEOUT_MILLISECONDS = 10_000;
const PATIENCE_MILLISECONDS = 60_000;

/**
 * Runs the contract's cases against a service, whatever it is written in. A service that cannot be reached fails every case; only
 * ADDRESS_NOT_APPROVED, BAD_INPUT and the signal's reason are thrown.
 */
export async function runConformance(options: ConformanceOptions): Promise<readonly ConformanceResult[]> {
  const [first] = options.subject;
  if (first === undefined)
    throw new HabeasError('BAD_INPUT', 'The conformance cases need an identity of a test person.');
  const signal = options.signal ?? new AbortController().signal;
  const anywhere = createOutboundPolicy({ allowPrivate: ['0.0.0.0/0', '::/0'] });
  const transport = (options.protocol === 'grpc' ? grpcTransport : httpTransport)({
    outbound: options.outbound ?? createOutbound({ policy: anywhere }),
    address: parseOutboundAddress(options.address),
    tls: options.tls,
  });
  const kit = createKit({
    service: options.service,
    transport,
    signToken: options.signToken,
    signExpiredToken: options.signExpiredToken,
    subject: options.subject,
    unknownSubject: options.unknownSubject ?? [
      { type: first.type, value: 'nobody-at-all.b7c1@conformance.invalid' },
    ],
    timeout: options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS,
    patience: options.patienceMilliseconds ?? PATIENCE_MILLISECONDS,
    signal,
  });
  try {
    const results: ConformanceResult[] = [];
    for (const one of conformanceCases) {
      const keeps = one.erases && options.erase === false;
      const result = keeps
        ? skipped(one, 'It would erase the test person.')
        : await runCase(one, kit, signal);
      results.push(result);
      options.onCase?.(result);
    }
    return results;
  } finally {
    transport.close();
  }
}
