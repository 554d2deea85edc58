// First, because a heap that has grown while the modules are loaded stays large.
import './small-heap.ts';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  accessMigrations,
  authenticate,
  callbackSecret,
  createApiKeys,
  createKey,
  createSessions,
  createSigner,
  ensureFirstKey,
  type Signer,
  signStandardWebhook,
  verifyStandardWebhook,
} from './access/index.ts';
import {
  type AuditLog,
  appendAudit,
  auditMigrations,
  type CheckpointPlaces,
  createAuditLog,
  createCheckpointPlaces,
  createCheckpointPublisher,
  parseTrust,
  verifyLog,
} from './audit/index.ts';
import {
  type CliParts,
  type CreateServerOptions,
  type LocalServer,
  type OpenStateOptions,
  runProcess,
  type State,
} from './cli/index.ts';
import {
  configureConnections,
  createClientTls,
  createConnections,
  createPdClientConnector,
  createSystems,
  impliedOrder,
  loadConnectionKinds,
} from './connectors/index.ts';
import {
  consentMigrations,
  createConsent,
  createConsentReceipts,
  createConsentTag,
  createJobRuns,
  createSqlEnforcer,
  createSubjects,
  createTargetSyncs,
  jobMigrations,
  loadPurposes,
  NO_PURPOSES,
  targetMigrations,
  targetsOf,
} from './consent/index.ts';
import {
  type Config,
  closeAll,
  createOutbound,
  createOutboundPolicy,
  type Database,
  HabeasError,
  loadMasterKey,
  type Migrations,
  migrate,
  type Outbound,
  openDatabase,
  pingDatabase,
  type SecretKey,
  systemClock,
} from './foundation/index.ts';
import { createHttpServer } from './http/index.ts';
import {
  createMap,
  createMapExports,
  loadRecord,
  mapMigrations,
  ownDeclarations,
  warmUp,
} from './map/index.ts';
import {
  createEventFeed,
  createMailSender,
  createNotifications,
  createWebhooks,
  notifyMigrations,
  packageTextsFromConfig,
  peopleTellerFromConfig,
  publish,
  receiversOf,
} from './notify/index.ts';
import { createImport, createPartners, partnerMigrations } from './partners/index.ts';
import { loadPolicy } from './policy/index.ts';
import {
  createPackageLinks,
  createPackageStorages,
  createPauses,
  createPeopleToTell,
  createRequests,
  createStreams,
  createTrackers,
  limitOf,
  linkForPerson,
  requestMigrations,
  retryRules,
  verificationFromConfig,
} from './requests/index.ts';
import { endHeapRoom, giveHeapRoom } from './small-heap.ts';

/** Connections of one process to its database, without the life line of its worker. */
const CONNECTIONS = 16;

export const migrations: Migrations = {
  ...auditMigrations,
  ...notifyMigrations,
  ...accessMigrations,
  ...mapMigrations,
  ...requestMigrations,
  ...partnerMigrations,
  ...consentMigrations,
  ...targetMigrations,
  ...jobMigrations,
};

/** How long a server may take to end: the five seconds that running tasks have, and as long again for all the rest. */
const CLOSE_MILLISECONDS = 10_000;

interface Foundations extends OpenStateOptions {
  readonly opened: ReturnType<typeof openDatabase>;
  readonly db: Database;
  readonly masterKey: SecretKey;
  readonly signer: Signer;
  readonly auditLog: AuditLog;
  readonly checkpoints: CheckpointPlaces | undefined;
}

/** Opens the database, brings it up to date and makes the keys that are missing. */
export async function openState(options: OpenStateOptions): Promise<State> {
  const opened = openDatabase({ url: options.databaseUrl, connections: CONNECTIONS });
  const { db } = opened;
  let checkpoints: CheckpointPlaces | undefined;
  const close = async () => {
    checkpoints?.close();
    await opened.close();
  };
  try {
    await pingDatabase(db, options.databaseUrl);
    await migrate(db, migrations);
    const masterKey = loadMasterKey(options);
    const { organizationId } = options;
    const keys = { db, organizationId, clock: systemClock, audit: appendAudit };
    const first = options.firstKey === 'leave' ? undefined : await ensureFirstKey(keys);
    const signer = createSigner({ db, organizationId, masterKey, clock: systemClock });
    // Opens what this database's key sealed: a server with another master key must not start.
    await signer.publicJwk();
    const { checkpointPlaces: config } = options;
    checkpoints =
      config && createCheckpointPlaces({ config, outbound: outboundOf(config), clock: systemClock });
    const newest = async () => (await checkpoints?.newest()) ?? [];
    const auditLog = createAuditLog({
      db,
      organizationId,
      origin: options.auditOrigin ?? `habeas/${organizationId}`,
      clock: systemClock,
      logger: options.logger,
      sign: (bytes) => signer.signBytes(bytes),
      published: newest,
      publicKeys: async () => (await signer.publicKeys()).map((key) => Buffer.from(key, 'base64url')),
    });
    const foundations: Foundations = { ...options, opened, db, masterKey, signer, auditLog, checkpoints };
    return {
      firstKey: first?.key,
      createKey: async (name) => (await createKey({ ...keys, name, actor: 'system' })).key,
      publicKeys: () => signer.publicKeys(),
      verifierKeys: () => auditLog.verifierKeys(),
      verifyAuditLog: async (published) => {
        const trust = parseTrust((await auditLog.verifierKeys()).join('\n'));
        return verifyLog({ db, organizationId, trust, published: [...published, ...(await newest())] });
      },
      pauses: createPauses({ db, organizationId, clock: systemClock, knownSystems: async () => [] }),
      createServer: (config, server) => createServer(foundations, config, server),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function createServer(
  foundations: Foundations,
  config: Config,
  options: CreateServerOptions,
): Promise<LocalServer> {
  const { db, opened, masterKey, signer, auditLog, organizationId, logger } = foundations;
  const clock = systemClock;
  const policy = loadPolicy(
    config.policy === undefined ? undefined : resolve(config.folder, config.policy),
    clock.now(),
    config.policy,
  );
  const map = createMap({
    db,
    clock,
    organizationId,
    config,
    logger,
    beforeLargeAnswer: () => giveHeapRoom('answer'),
  });
  const connections = configureConnections({
    config,
    clock,
    kinds: await loadConnectionKinds(config),
  });
  const outbound = outboundOf(config);
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
    taskTimeoutMilliseconds: config.requests.task_timeout,
    giveUpBlockedMilliseconds: config.requests.give_up_blocked,
    patience: (system) => config.streams.nats?.status.find((mapping) => mapping.system === system)?.ask_after,
    retry: retryRules({
      maxFailures: config.requests.retries.max_failures,
      firstDelayMilliseconds: config.requests.retries.first_delay,
      longestDelayMilliseconds: config.requests.retries.longest_delay,
    }),
    sign: async (_organizationId, payload) => ({
      signature: await signer.signDetached(payload),
      publicKey: { ...(await signer.publicJwk()) },
    }),
    proveEntry: (sequence) => auditLog.proveNow(sequence),
    callback: (taskId) => ({
      url: `${options.publicUrl}/api/v1/callbacks/${taskId}`,
      secret: callbackSecret(masterKey, taskId),
    }),
    verification: verificationFromConfig(config, options.publicUrl),
    verifyCallback: ({ taskId, headers, body }, now) => {
      const verdict = verifyStandardWebhook({
        secret: callbackSecret(masterKey, taskId),
        headers,
        body,
        now,
      });
      if (!verdict.valid) {
        throw new HabeasError(
          'UNAUTHENTICATED',
          `The callback is refused (${verdict.reason}). Sign it with the secret that came with the call, within five minutes.`,
        );
      }
      return verdict.timestamp;
    },
  });
  const feed = createEventFeed({ db, pool: opened.pool, logger });
  const partners = createPartners({
    db,
    organizationId,
    config,
    publicUrl: options.publicUrl,
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
    publicUrl: options.publicUrl,
  });
  const notifications = createNotifications({
    programs: [...streams.receivers, ...trackers.receivers],
    db,
    pool: opened.pool,
    organizationId,
    config,
    feed,
    sign: signStandardWebhook,
    clock,
    logger,
  });
  const publisher = createCheckpointPublisher({
    db,
    organizationId,
    log: auditLog,
    clock,
    logger,
    everyMilliseconds: config.audit.publish.every,
    places: foundations.checkpoints,
    tell: (transaction, { size, checkpoint }) =>
      publish(
        transaction,
        [{ organizationId, type: 'audit.checkpoint', data: { size, checkpoint } }],
        clock.now(),
      ),
  });
  const { smtp } = config.notify;
  const mailSender = smtp === undefined ? undefined : createMailSender({ smtp, outbound });
  const packageTexts = packageTextsFromConfig(config, { organizationId, sender: mailSender });
  const packageLinks = createPackageLinks({
    db,
    storages,
    masterKey,
    clock,
    publicUrl: options.publicUrl,
    organizationId,
    texts: packageTexts,
  });
  const teller = peopleTellerFromConfig(config, {
    db,
    pool: opened.pool,
    organizationId,
    feed,
    people: createPeopleToTell({
      db,
      organizationId,
      masterKey,
      clock,
      tell: config.people.tell,
      language: config.people.language,
      policy,
      page: config.intake?.page,
      codesPerAddress: limitOf(config.intake?.limits.codes_per_address ?? { most: 1, per: 1 }),
      resultLink: (ref) => linkForPerson(packageLinks, ref),
    }),
    clock,
    logger,
  });
  const connectionsView = createConnections(connections, (key) => systems.connector(key, undefined));
  const purposeFile =
    config.consent.purposes === undefined
      ? NO_PURPOSES
      : loadPurposes(resolve(config.folder, config.consent.purposes), config.consent.purposes);
  const consent = createConsent({
    db,
    organizationId,
    masterKey,
    clock,
    file: purposeFile,
    rule: config.consent.merge === 'own_first' ? 'own_first' : 'latest',
  });
  const targets = targetsOf(config, purposeFile.purposes);
  const sqlEnforcer = createSqlEnforcer({ targets });
  const consentTargets = createTargetSyncs({
    organizationId,
    targets,
    pool: opened.pool,
    openValue: createSubjects({ organizationId, masterKey }).openValue,
    clock,
    logger,
  });
  const receipting = {
    db,
    clock,
    purposes: purposeFile.purposes,
    sign: async (payload: Uint8Array) => ({
      signature: await signer.signDetached(payload),
      publicKey: { ...(await signer.publicJwk()) },
    }),
    prove: (sequence: number) => auditLog.proveNow(sequence),
  };
  const jobRuns = createJobRuns(receipting);
  const http = await createHttpServer({
    jobRuns,
    sqlEnforcer,
    consentReceipts: createConsentReceipts({ ...receipting, consent }),
    consentTargets,
    packageLinks,
    packageTexts,
    trackers,
    organizationId,
    db,
    clock,
    logger,
    requests,
    policy,
    partners,
    consent,
    consentTag: createConsentTag({
      consent,
      organizationId,
      file: purposeFile,
      masterKey,
      clock,
      origins: config.consent.origins,
      identitySecrets: config.consent.identity_secrets,
      merge: config.consent.merge !== 'never',
    }),
    imports: createImport({ requests, systems, logger }),
    map,
    mapExports: createMapExports({
      map,
      clock,
      organizationId,
      product: `habeas ${version}`,
      record: () =>
        loadRecord(config.record === undefined ? undefined : resolve(config.folder, config.record)),
      jobs: async () => {
        const jobs = await jobRuns.list(organizationId);
        return jobs.map(({ job, purpose: code, target }) => {
          const purpose = purposeFile.purposes.find((one) => one.code === code);
          return { job, target, purpose: code, legalBasis: purpose?.legal_basis };
        });
      },
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
    sessions: createSessions({ db, organizationId, clock, audit: appendAudit }),
    authenticate: (presentedKey) => authenticate({ db, clock }, presentedKey),
    publicKeys: () => signer.publicKeys(),
    publicUrl: options.publicUrl,
    intakePage: config.intake?.page,
    trustedProxies: config.listen.proxies,
  });
  return {
    map,
    systems,
    pauses: requests.pauses,
    streams,
    connections: connectionsView,
    notifications,
    partners,
    checkpoints: foundations.checkpoints,
    async listen(address) {
      // Before the first reading, so that what it finds is told.
      await notifications.start();
      await teller?.start();
      // A log that was begun under another name must not go on under this one.
      await auditLog.verifierKeys();
      auditLog.start();
      publisher.start();
      await consentTargets.start();
      // The first plan must not be made from a map that nobody has read yet.
      await map.poll();
      await warmUp({ answers: map, now: clock.now() });
      endHeapRoom();
      streams.start();
      trackers.start();
      await requests.start();
      map.start();
      await partners.start();
      return http.listen(address);
    },
    close: () =>
      closeAll(
        [
          { name: 'notifications', close: () => notifications.stop() },
          { name: 'mails to people', close: async () => teller?.stop() },
          { name: 'partners', close: () => partners.stop() },
          { name: 'feed', close: () => feed.close() },
          { name: 'http', close: () => http.close() },
          { name: 'map', close: () => map.stop() },
          { name: 'trackers', close: () => trackers.stop() },
          { name: 'requests', close: () => requests.stop() },
          { name: 'streams', close: () => streams.stop() },
          { name: 'checkpoints', close: () => publisher.stop() },
          { name: 'consent targets', close: () => consentTargets.stop() },
          { name: 'sql', close: () => sqlEnforcer.close() },
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

/** Opens connections to what the configuration allows, and to nothing else. */
function outboundOf(config: Pick<Config, 'networks' | 'clients'>): Outbound {
  return createOutbound({
    policy: createOutboundPolicy({
      allowPrivate: config.networks.allow_private,
      allow: config.clients.allow,
    }),
  });
}

const version: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

export const cliParts: CliParts = { version, openState, migrations: async () => migrations };

/** Runs the command line of this process. */
export const run = (): Promise<void> => runProcess(cliParts);

if (import.meta.main) await run();
