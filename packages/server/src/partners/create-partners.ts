import {
  type Clock,
  type Config,
  type Database,
  HabeasError,
  type Logger,
  type Outbound,
  pause,
  type SecretKey,
} from '../foundation/index.ts';
import { type EventFeed, proofPageTextsFromConfig, RETRY_DELAYS, type RetryDelays } from '../notify/index.ts';
import type { Requests } from '../requests/index.ts';
import { createRequestFollower } from './callbacks/follow-requests.ts';
import { createCallbackSender } from './callbacks/send-callbacks.ts';
import { createDrp, type Drp } from './drp/create-drp.ts';
import { fetchDirectory } from './drp/directory.ts';
import { drpStatus, exerciseStatus, rankOfDrp } from './drp/status.ts';
import { signedHeaders, statusBody } from './opendsr/answers.ts';
import { createOpenDsr, type OpenDsr } from './opendsr/create-opendsr.ts';
import { createSigningCertificate, type SigningCertificate } from './opendsr/signing-certificate.ts';
import { openDsrStatus, rankOfOpenDsr } from './opendsr/status.ts';
import { createPartnerRequests } from './partner-requests.ts';
import { createRegistry, type PartnerRegistry } from './registry.ts';
import type { ProtocolFace } from './told-status.ts';

/** Other organizations' systems that send requests, and are told what became of them. */
export interface Partners {
  readonly registry: PartnerRegistry;
  /** Undefined where the configuration has no part for it. */
  readonly openDsr: OpenDsr | undefined;
  readonly drp: Drp | undefined;
  /** What a person should know of it now. */
  examine(): Promise<readonly PartnerFinding[]>;
  /** Follows requests, sends callbacks, and reads the service directory. */
  start(): Promise<void>;
  /** Must come before the feed is closed. */
  stop(): Promise<void>;
}

export interface PartnerFinding {
  readonly what: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly finding: string;
}

export interface CreatePartnersOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly config: Pick<Config, 'partners' | 'folder' | 'people'> & {
    readonly notify: Pick<Config['notify'], 'give_up_after'>;
  };
  readonly publicUrl: string;
  readonly masterKey: SecretKey;
  readonly requests: Requests;
  readonly feed: EventFeed;
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly logger: Logger;
  /** (Default: 2 seconds, doubled up to 15 minutes) */
  readonly retry?: RetryDelays;
}

export function createPartners(options: CreatePartnersOptions): Partners {
  const { db, organizationId, config, clock, logger } = options;
  const registry = createRegistry({ db, organizationId, clock });
  const partnerRequests = createPartnerRequests({ db, organizationId, masterKey: options.masterKey });
  const { opendsr, drp } = config.partners;
  const certificate =
    opendsr === undefined
      ? undefined
      : createSigningCertificate({ ...opendsr, folder: config.folder, clock });
  const publicUrl = options.publicUrl.replace(/\/$/, '');
  const follower = createRequestFollower({
    ...options,
    partnerRequests,
    faces: { opendsr: openDsrFace(opendsr?.domain, certificate), drp: drpFace(publicUrl) },
    onEnqueued: () => sender.wake(),
  });
  const sender = createCallbackSender({
    ...options,
    retry: options.retry ?? RETRY_DELAYS,
    giveUpMilliseconds: config.notify.give_up_after,
    async prepare({ partner, wireId, address, status }) {
      const told = await follower.load(partner, wireId);
      const url = told?.details.callbackUrls[address];
      if (told === undefined || url === undefined || told.partner.revoked_at !== null) return undefined;
      const face =
        told.partner.protocol === 'drp' ? drpFace(publicUrl) : openDsrFace(opendsr?.domain, certificate);
      return { url, origins: told.partner.callback_origins, message: face.callback(told, { status, url }) };
    },
  });
  const shared = { ...options, registry, partnerRequests, follower };
  const closing = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  let directoryProblem: string | undefined;

  async function readDirectory(where: string, signal: AbortSignal): Promise<void> {
    try {
      const directory = await fetchDirectory(where, {
        folder: config.folder,
        outbound: options.outbound,
        signal,
      });
      const synced = await registry.syncDirectory(directory);
      const { agents, refused } = directory;
      directoryProblem =
        refused === 0
          ? undefined
          : `${refused} entries of the service directory cannot be used; what was known of these agents stays.`;
      logger.info({ agents: agents.length, refused, ...synced }, 'The service directory was read');
    } catch (error) {
      if (signal.aborted) return;
      directoryProblem = HabeasError.from(error).message;
      logger.warn({ err: error }, 'The service directory cannot be read; the agents of before stay');
    }
  }

  async function followDirectory(where: string, interval: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(interval, signal);
      if (!signal.aborted) await readDirectory(where, signal);
    }
  }

  return {
    registry,
    openDsr:
      opendsr === undefined || certificate === undefined
        ? undefined
        : createOpenDsr({ ...shared, certificate, domain: opendsr.domain, identities: opendsr.identities }),
    drp:
      drp === undefined
        ? undefined
        : createDrp({
            ...shared,
            publicUrl,
            proofPageTexts: proofPageTextsFromConfig(config, organizationId),
            businessId: drp.business_id,
            maxValidityMilliseconds: drp.max_validity,
            verificationTermMilliseconds: drp.verification_term,
          }),
    async examine() {
      if (drp?.directory !== undefined && directoryProblem === undefined) {
        await readDirectory(drp.directory, AbortSignal.timeout(30_000));
      }
      return [
        ...(certificate === undefined ? [] : [{ what: 'OpenDSR certificate', ...certificate.examine() }]),
        ...(directoryProblem === undefined
          ? []
          : [{ what: 'service directory', verdict: 'warn' as const, finding: directoryProblem }]),
      ];
    },
    async start() {
      const { signal } = closing;
      const finding = certificate?.examine();
      if (finding?.verdict === 'fail')
        logger.error({ finding: finding.finding }, 'OpenDSR cannot be answered');
      if (opendsr === undefined && drp === undefined) return;
      if (drp?.directory !== undefined) await readDirectory(drp.directory, signal);
      running = Promise.all([
        follower.run(signal),
        sender.run(signal),
        drp?.directory === undefined
          ? undefined
          : followDirectory(drp.directory, drp.directory_interval, signal),
      ]);
    },
    async stop() {
      closing.abort();
      await running;
    },
  };
}

function openDsrFace(domain: string | undefined, certificate: SigningCertificate | undefined): ProtocolFace {
  return {
    statusOf: ({ request, row }) =>
      request === undefined
        ? { status: row.status, rank: rankOfOpenDsr(row.status), ended: row.ended_at !== null }
        : openDsrStatus(request.state),
    rankOf: rankOfOpenDsr,
    callback(told, { status, url }) {
      if (domain === undefined || certificate === undefined) {
        throw new HabeasError(
          'UNAVAILABLE',
          'The configuration has no partners.opendsr any more, so that nothing can be signed.',
        );
      }
      const body = JSON.stringify({
        ...statusBody(told, { status, version: '2.0', domain }),
        status_callback_url: url,
      });
      return { body, headers: signedHeaders(body, { domain, certificate }) };
    },
  };
}

function drpFace(publicUrl: string): ProtocolFace {
  return {
    statusOf: drpStatus,
    rankOf: rankOfDrp,
    callback: (told, { status }) => ({
      headers: {},
      body: JSON.stringify(exerciseStatus(told, { status, publicUrl })),
    }),
  };
}
