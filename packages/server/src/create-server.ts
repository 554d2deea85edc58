import { resolve } from 'node:path';
import { createApiKeys, createAuthenticate } from './access/index.ts';
import { assembleChoices, assembleConsent } from './assemble-consent.ts';
import { assembleMembers } from './assemble-members.ts';
import { assembleContactProofs, assemblePortal, intakePageOf } from './assemble-portal.ts';
import { assembleRequests } from './assemble-requests.ts';
import { assembleTelling } from './assemble-telling.ts';
import { appendAudit } from './audit/index.ts';
import { createCatalog } from './catalog/index.ts';
import type { CreateServerOptions, LocalServer } from './cli/index.ts';
import { createConnections } from './connectors/index.ts';
import { type Config, closeAll, systemClock } from './foundation/index.ts';
import { type Foundations, outboundOf } from './foundations.ts';
import { type Application, createHttpServer, DEFAULT_RATE_LIMITS } from './http/index.ts';
import { createMapExports, loadRecord, ownDeclarations, warmUp } from './map/index.ts';
import { createEventFeed, createWebhooks, receiversOf } from './notify/index.ts';
import { createImport, createPartners } from './partners/index.ts';
import { loadPolicy } from './policy/index.ts';
import { createStreams, createTrackers } from './requests/index.ts';
import { endHeapRoom } from './small-heap.ts';
import { version } from './version.ts';

/** How long a server may take to end: the five seconds that running tasks have, and as long again for all the rest. */
const CLOSE_MILLISECONDS = 10_000;

/** A server that has everything and listens nowhere yet. */
export async function createServer(
  foundations: Foundations,
  config: Config,
  { publicUrl }: CreateServerOptions,
): Promise<LocalServer> {
  const { db, opened, masterKey, signer, auditLog, organizationId, logger } = foundations;
  const clock = systemClock;
  const policy = loadPolicy(
    config.policy === undefined ? undefined : resolve(config.folder, config.policy),
    clock.now(),
    config.policy,
  );
  const outbound = outboundOf(config);
  const choices = assembleChoices(foundations, config);
  const { map, connections, systems, storages, requests } = await assembleRequests(foundations, config, {
    policy,
    outbound,
    publicUrl,
    noteChoice: (transaction, choice) => choices.consent.noteChoice(transaction, choice),
    heldHere: (person) => choices.consent.held(person),
  });
  const feed = createEventFeed({ db, pool: opened.pool, logger });
  const partners = createPartners({
    db,
    organizationId,
    config,
    publicUrl,
    masterKey,
    requests,
    feed,
    outbound,
    clock,
    logger,
  });
  const streams = createStreams({
    config,
    organizationId,
    db,
    logger,
    take: (report) => requests.takeReport(report),
  });
  const trackers = createTrackers({
    config,
    organizationId,
    db,
    clock,
    logger,
    requests,
    publicUrl,
  });
  const telling = assembleTelling(foundations, config, {
    programs: [...streams.receivers, ...trackers.receivers],
    feed,
    storages,
    policy,
    outbound,
    publicUrl,
  });
  const connectionsView = createConnections(connections, (key) => systems.connector(key, undefined));
  const consent = assembleConsent(foundations, config, { choices, systems, streams, outbound });
  const application: Application = {
    jobRuns: consent.jobRuns,
    sqlEnforcer: consent.sqlEnforcer,
    consentNotices: consent.notices,
    consentExports: consent.exports,
    consentReceipts: consent.receipts,
    consentTargets: consent.targets,
    propagation: consent.propagation,
    packageLinks: telling.packageLinks,
    packageTexts: telling.packageTexts,
    trackers,
    organizationId,
    db,
    clock,
    logger,
    requests,
    policy,
    partners,
    consent: consent.consent,
    consentTag: consent.tag,
    imports: createImport({ requests, systems, logger }),
    map,
    mapExports: createMapExports({
      map,
      clock,
      organizationId,
      product: `habeas ${version}`,
      record: () =>
        loadRecord(config.record === undefined ? undefined : resolve(config.folder, config.record)),
      jobs: consent.recordedJobs,
    }),
    catalog: createCatalog({
      map,
      systems: connections.map(({ config: { key, kind, service, team }, datasets }) => ({
        key,
        kind,
        service: service ?? key,
        team,
        datasets,
      })),
    }),
    connections: connectionsView,
    feed,
    webhooks: createWebhooks({
      db,
      organizationId,
      clock,
      audit: appendAudit,
      receivers: receiversOf(config).filter((receiver) => receiver.kind === 'webhook'),
    }),
    ownMetrics: ownDeclarations({ team: config.map.own_team, prefix: config.map.prefix }),
    auditLog,
    keys: createApiKeys({ db, organizationId, clock, audit: appendAudit }),
    ...assembleMembers(foundations, config, { outbound, publicUrl }),
    authenticate: createAuthenticate({ db, clock }),
    publicKeys: () => signer.publicKeys(),
    publicUrl,
    intakePage: intakePageOf(config, publicUrl),
    contactProofs: assembleContactProofs(foundations, config, telling.packageTexts),
    portal: assemblePortal(config, { organizationId, purposes: choices.purposeFile.purposes }),
    trustedProxies: config.listen.proxies,
  };
  const rateLimits = { ...DEFAULT_RATE_LIMITS, perKey: config.listen.calls_per_key };
  const http = await createHttpServer(application, { rateLimits });
  return {
    map,
    systems,
    pauses: requests.pauses,
    streams,
    connections: connectionsView,
    notifications: telling.notifications,
    partners,
    checkpoints: foundations.checkpoints,
    async listen(address) {
      // Before the first reading, so that what it finds is told.
      await telling.notifications.start();
      await telling.teller?.start();
      // A log that was begun under another name must not go on under this one.
      await auditLog.verifierKeys();
      auditLog.start();
      telling.publisher.start();
      await consent.notices.keep();
      await consent.expiry.start();
      await consent.targets.start();
      // The first plan must not be made from a map that nobody has read yet.
      await map.poll();
      await warmUp({ answers: map, now: clock.now() });
      endHeapRoom();
      streams.start();
      trackers.start();
      await requests.start();
      map.start();
      await partners.start();
      await consent.propagation.start();
      return http.listen(address);
    },
    close: () =>
      closeAll(
        [
          { name: 'notifications', close: () => telling.notifications.stop() },
          { name: 'mails to people', close: async () => telling.teller?.stop() },
          { name: 'consent propagation', close: () => consent.propagation.stop() },
          { name: 'partners', close: () => partners.stop() },
          { name: 'feed', close: () => feed.close() },
          { name: 'http', close: () => http.close() },
          { name: 'map', close: () => map.stop() },
          { name: 'trackers', close: () => trackers.stop() },
          { name: 'requests', close: () => requests.stop() },
          { name: 'streams', close: () => streams.stop() },
          { name: 'checkpoints', close: () => telling.publisher.stop() },
          { name: 'expiry of consent', close: () => consent.expiry.stop() },
          { name: 'consent targets', close: () => consent.targets.stop() },
          { name: 'sql', close: () => consent.sqlEnforcer.close() },
          { name: 'audit log', close: () => auditLog.stop() },
          { name: 'systems', close: () => systems.close() },
          {
            name: 'packages',
            close: async () => {
              for (const storage of storages.all) storage.close();
            },
          },
        ],
        { logger, withinMilliseconds: CLOSE_MILLISECONDS },
      ),
  };
}
