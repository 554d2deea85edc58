import { signStandardWebhook } from '../../src/access/index.ts';
import { auditMigrations } from '../../src/audit/index.ts';
import {
  type Consent,
  consentMigrations,
  createConsent,
  createPropagation,
  createSubjects,
  destinationsOf,
  type Propagation,
  type PropagationOptions,
  parsePurposeFile,
  propagationMigrations,
  targetMigrations,
} from '../../src/consent/index.ts';
import {
  createLogger,
  createOutbound,
  createOutboundPolicy,
  type OpenDatabase,
  parseConfig,
  type SecretKey,
  systemClock,
} from '../../src/foundation/index.ts';
import { notifyMigrations } from '../../src/notify/index.ts';

export const HOUSE_MIGRATIONS = {
  ...auditMigrations,
  ...notifyMigrations,
  ...consentMigrations,
  ...targetMigrations,
  ...propagationMigrations,
};

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const PURPOSES = `
purposes:
  - { code: analytics, name: { en: Analytics }, legal_basis: consent }
  - { code: advertising, name: { en: Advertising }, legal_basis: opt_out }
  - { code: research, name: { en: Research }, legal_basis: legitimate_interests }
`;

export interface HouseOptions {
  readonly opened: Pick<OpenDatabase, 'db' | 'pool'>;
  readonly masterKey: SecretKey;
  /** As in `consent.destinations`. */
  readonly destinations: readonly object[];
  readonly organizationId?: string;
  /** Lines of the log. */
  readonly log?: string[];
  readonly with?: Partial<
    Pick<PropagationOptions, 'systems' | 'publishOnStream' | 'schedule' | 'rest' | 'everyMilliseconds'>
  >;
}

/** What people say, in a database of a test's own. */
export function openConsent({
  opened,
  masterKey,
  organizationId = 'acme',
}: Pick<HouseOptions, 'opened' | 'masterKey' | 'organizationId'>): Consent {
  const file = parsePurposeFile(PURPOSES, 'purposes.yaml');
  return createConsent({ db: opened.db, organizationId, file, masterKey, clock: systemClock });
}

/** What tells destinations of it. Not started. */
export function openPropagation(options: HouseOptions): Propagation {
  const { opened, masterKey, organizationId = 'acme', log } = options;
  const file = parsePurposeFile(PURPOSES, 'purposes.yaml');
  const destinations = options.destinations.map((one) => ({ identities: ['email', 'user_id'], ...one }));
  const config = parseConfig({
    text: JSON.stringify({
      organization: organizationId,
      consent: { destinations },
      streams: { nats: { servers: ['nats://127.0.0.1:4222'] } },
    }),
    file: 'habeas.yaml',
    environment: {},
  });
  return createPropagation({
    db: opened.db,
    pool: opened.pool,
    organizationId,
    destinations: destinationsOf(config, file.purposes),
    codes: file.purposes.map(({ code }) => code),
    openValue: createSubjects({ organizationId, masterKey }).openValue,
    systems: {
      connector: async () => {
        throw new Error('there are no systems in this test');
      },
    },
    publishOnStream: async () => {
      throw new Error('there are no streams in this test');
    },
    outbound: createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.1'] }) }),
    sign: signStandardWebhook,
    clock: systemClock,
    logger: createLogger({
      level: log === undefined ? 'silent' : 'debug',
      ...(log === undefined ? {} : { destination: { write: (line: string) => void log.push(line) } }),
    }),
    everyMilliseconds: 20,
    tryMilliseconds: 50,
    schedule: Array.from({ length: 9 }, () => 20),
    rest: { firstMilliseconds: 5, longestMilliseconds: 40 },
    ...options.with,
  });
}
