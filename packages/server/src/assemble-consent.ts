import { resolve } from 'node:path';
import { signStandardWebhook } from './access/index.ts';
import type { Systems } from './connectors/index.ts';
import {
  type ConsentParties,
  createConsent,
  createConsentExpiry,
  createConsentExports,
  createConsentReceipts,
  createConsentTag,
  createJobRuns,
  createNotices,
  createPropagation,
  createSqlEnforcer,
  createSubjects,
  createTargetSyncs,
  declaredJobs,
  destinationsOf,
  loadPurposes,
  NO_PURPOSES,
  targetsOf,
} from './consent/index.ts';
import { type Config, type Outbound, systemClock } from './foundation/index.ts';
import type { Foundations } from './foundations.ts';
import { PORTAL_PATH } from './http/index.ts';
import { loadRecord } from './map/index.ts';
import type { Streams } from './requests/index.ts';
import { signWith } from './sign-with.ts';
import { giveHeapRoom } from './small-heap.ts';

/** What people agreed to, and the purposes of the configuration: what requests object to is noted there. */
export function assembleChoices({ db, organizationId, masterKey }: Foundations, config: Config) {
  const purposeFile =
    config.consent.purposes === undefined
      ? NO_PURPOSES
      : loadPurposes(resolve(config.folder, config.consent.purposes), config.consent.purposes);
  const consent = createConsent({
    db,
    organizationId,
    masterKey,
    clock: systemClock,
    file: purposeFile,
    rule: ruleOf(config),
    whileManyCome: () => giveHeapRoom('answer'),
  });
  return { consent, purposeFile };
}

const ruleOf = ({ consent }: Config) => (consent.merge === 'own_first' ? 'own_first' : 'latest');

/** The record of processing is read anew, as for its exports. */
function partiesOf({ folder, record: file, listen, portal, intake }: Config): ConsentParties {
  const record = loadRecord(file === undefined ? undefined : resolve(folder, file));
  const canAsk = intake !== undefined && portal.rights.includes('objection');
  return {
    controller: record?.organization ?? {},
    noticeUrl: portal.notice,
    withdrawUrl:
      canAsk && listen.public_url !== undefined
        ? new URL(`${PORTAL_PATH}/request`, listen.public_url).href
        : undefined,
  };
}

interface Around {
  readonly choices: ReturnType<typeof assembleChoices>;
  readonly systems: Systems;
  readonly streams: Streams;
  readonly outbound: Outbound;
}

/** Everything about what people agree to. */
export function assembleConsent(
  foundations: Foundations,
  config: Config,
  { choices: { consent, purposeFile }, systems, streams, outbound }: Around,
) {
  const { db, opened, organizationId, masterKey, signer, auditLog, logger } = foundations;
  const clock = systemClock;
  const expiry = createConsentExpiry({
    db,
    organizationId,
    purposes: purposeFile.purposes,
    rule: ruleOf(config),
    clock,
    logger,
  });
  const targets = targetsOf(config, purposeFile.purposes);
  const sqlEnforcer = createSqlEnforcer({ targets });
  const { openValue } = createSubjects({ organizationId, masterKey });
  const propagation = createPropagation({
    db,
    pool: opened.pool,
    organizationId,
    destinations: destinationsOf(config, purposeFile.purposes),
    codes: purposeFile.purposes.map(({ code }) => code),
    openValue,
    systems,
    publishOnStream: streams.publish,
    outbound,
    sign: signStandardWebhook,
    clock,
    logger,
  });
  const consentTargets = createTargetSyncs({
    organizationId,
    targets,
    pool: opened.pool,
    openValue,
    clock,
    logger,
  });
  const receipting = {
    db,
    clock,
    purposes: purposeFile.purposes,
    sign: signWith(signer),
    prove: (sequence: number) => auditLog.proveNow(sequence),
  };
  const jobRuns = createJobRuns({
    ...receipting,
    organizationId,
    declared: () => declaredJobs(resolve(config.folder, config.consent.jobs), config.folder),
    targets: targets.map(({ target }) => target.key),
  });
  return {
    consent,
    targets: consentTargets,
    propagation,
    expiry,
    notices: createNotices({ db, organizationId, file: purposeFile, clock, logger }),
    sqlEnforcer,
    jobRuns,
    exports: createConsentExports({
      db,
      pool: opened.pool,
      clock,
      organizationId,
      purposes: purposeFile.purposes,
      openValue,
      sign: receipting.sign,
    }),
    receipts: createConsentReceipts({ ...receipting, consent, parties: () => partiesOf(config) }),
    tag: createConsentTag({
      consent,
      organizationId,
      file: purposeFile,
      masterKey,
      clock,
      origins: config.consent.origins,
      identitySecrets: config.consent.identity_secrets,
      merge: config.consent.merge !== 'never',
    }),
    /** Jobs for the record of processing. */
    recordedJobs: async () => {
      const jobs = await jobRuns.list(organizationId);
      return jobs.map(({ job, purpose: code, target, runs }) => {
        const purpose = purposeFile.purposes.find((one) => one.code === code);
        return {
          job,
          target: target ?? undefined,
          purpose: code ?? undefined,
          legalBasis: purpose?.legal_basis,
          hasRun: runs > 0,
        };
      });
    },
  };
}
