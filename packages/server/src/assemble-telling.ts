import { signStandardWebhook } from './access/index.ts';
import { intakePageOf } from './assemble-portal.ts';
import { createCheckpointPublisher } from './audit/index.ts';
import { type Config, type Outbound, systemClock } from './foundation/index.ts';
import type { Foundations } from './foundations.ts';
import {
  createMailSender,
  createNotifications,
  type EventFeed,
  type ProgramReceiver,
  packageTextsFromConfig,
  peopleTellerFromConfig,
  publish,
} from './notify/index.ts';
import type { Policy } from './policy/index.ts';
import {
  createPackageLinks,
  type createPackageStorages,
  createPeopleToTell,
  limitOf,
  linkForPerson,
} from './requests/index.ts';

/** What is told, and of which. */
interface Around {
  /** Receivers within this process. */
  readonly programs: readonly ProgramReceiver[];
  readonly feed: EventFeed;
  readonly storages: ReturnType<typeof createPackageStorages>;
  readonly policy: Policy;
  readonly outbound: Outbound;
  readonly publicUrl: string;
}

/** All that tells somebody of something: receivers, people, and those who keep checkpoints of the audit log. */
export function assembleTelling(
  foundations: Foundations,
  config: Config,
  { programs, feed, storages, policy, outbound, publicUrl }: Around,
) {
  const { db, opened, organizationId, masterKey, auditLog, logger } = foundations;
  const clock = systemClock;
  const notifications = createNotifications({
    programs,
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
    publicUrl,
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
      page: intakePageOf(config, publicUrl),
      codesPerAddress: limitOf(config.intake?.limits.codes_per_address ?? { most: 1, per: 1 }),
      resultLink: (ref) => linkForPerson(packageLinks, ref),
    }),
    clock,
    logger,
  });
  return { notifications, publisher, packageTexts, packageLinks, teller };
}
