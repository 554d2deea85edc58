import { callbackSecret, verifyStandardWebhook } from './access/index.ts';
import { guessColumn } from './catalog/index.ts';
import {
  configureConnections,
  createClientTls,
  createPdClientConnector,
  createSystems,
  impliedOrder,
  loadConnectionKinds,
} from './connectors/index.ts';
import { type Config, HabeasError, type Outbound, type SecretKey, systemClock } from './foundation/index.ts';
import type { Foundations } from './foundations.ts';
import { createMap } from './map/index.ts';
import type { Policy } from './policy/index.ts';
import {
  type CreateRequestsOptions,
  createPackageStorages,
  createRequests,
  retryRules,
  verificationFromConfig,
} from './requests/index.ts';
import { signWith } from './sign-with.ts';
import { giveHeapRoom } from './small-heap.ts';

/** What a request is carried out by. */
interface Around {
  readonly policy: Policy;
  readonly outbound: Outbound;
  readonly publicUrl: string;
  readonly noteChoice: CreateRequestsOptions['noteChoice'];
  readonly heldHere: CreateRequestsOptions['heldHere'];
}

/** The map, the systems that it leads to, and requests that act on them. */
export async function assembleRequests(
  foundations: Foundations,
  config: Config,
  { policy, outbound, publicUrl, noteChoice, heldHere }: Around,
) {
  const { db, masterKey, signer, auditLog, organizationId, logger } = foundations;
  const clock = systemClock;
  const map = createMap({
    db,
    clock,
    organizationId,
    config,
    logger,
    suggestCategory: (dataType) => guessColumn(dataType)?.category,
    beforeLargeAnswer: () => giveHeapRoom('answer'),
  });
  const connections = configureConnections({
    config,
    clock,
    kinds: await loadConnectionKinds(config),
  });
  const clientTls = createClientTls(config);
  const systems = createSystems({
    map,
    connections,
    openClient: (client, audience) =>
      createPdClientConnector({
        service: audience,
        team: client.team,
        address: client.address,
        protocol: client.protocol,
        tls: clientTls(client.address),
        timeoutMilliseconds: config.clients.timeout,
        outbound,
        signToken: (claims) => signer.signServiceToken(claims),
      }),
    clientConcurrency: config.clients.concurrency,
    clock,
    logger,
  });
  const storages = createPackageStorages({ db, clock, config, outbound });
  const requests = createRequests({
    db,
    storages,
    organizationId,
    databaseUrl: foundations.databaseUrl,
    systems,
    policy,
    masterKey,
    clock,
    logger,
    whileMuchIsStreamed: () => giveHeapRoom('stream'),
    order: { after: impliedOrder(connections, config.requests), groups: config.requests.groups },
    teams: Object.keys(config.teams),
    taskTimeoutMilliseconds: config.requests.task_timeout,
    giveUpBlockedMilliseconds: config.requests.give_up_blocked,
    noteChoice,
    heldHere,
    patience: (system) => config.streams.nats?.status.find((mapping) => mapping.system === system)?.ask_after,
    retry: retryRules({
      maxFailures: config.requests.retries.max_failures,
      firstDelayMilliseconds: config.requests.retries.first_delay,
      longestDelayMilliseconds: config.requests.retries.longest_delay,
    }),
    sign: (_organizationId, payload) => signWith(signer)(payload),
    proveEntry: (sequence) => auditLog.proveNow(sequence),
    callback: (taskId) => ({
      url: `${publicUrl}/api/v1/callbacks/${taskId}`,
      secret: callbackSecret(masterKey, taskId),
    }),
    verification: verificationFromConfig(config, publicUrl),
    verifyCallback: checkCallback(masterKey),
  });
  return { map, connections, systems, storages, requests };
}

/** Believes a report that a task ended only when it is signed with the secret of that task. */
function checkCallback(masterKey: SecretKey): CreateRequestsOptions['verifyCallback'] {
  return ({ taskId, headers, body }, now) => {
    const secret = callbackSecret(masterKey, taskId);
    const verdict = verifyStandardWebhook({ secret, headers, body, now });
    if (verdict.valid) return verdict.timestamp;
    throw new HabeasError(
      'UNAUTHENTICATED',
      `The callback is refused (${verdict.reason}). Sign it with the secret that came with the call, within five minutes.`,
    );
  };
}
