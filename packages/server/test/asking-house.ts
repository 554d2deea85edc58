import { Writable } from 'node:stream';
import type { api } from '@habeas/contract';
import type { SMTPServerOptions } from 'smtp-server';
import { assembleContactProofs, assemblePortal, intakePageOf } from '../src/assemble-portal.ts';
import { auditMigrations } from '../src/audit/index.ts';
import {
  type Consent,
  consentMigrations,
  createConsent,
  createConsentTag,
  NO_PURPOSES,
  parsePurposeFile,
} from '../src/consent/index.ts';
import {
  type Clock,
  type Config,
  createLogger,
  createOutbound,
  createOutboundPolicy,
  newSecretKey,
  parseConfig,
  systemClock,
} from '../src/foundation/index.ts';
import { createHttpServer, type HttpServer } from '../src/http/index.ts';
import {
  createEventFeed,
  createMailSender,
  notifyMigrations,
  packageTextsFromConfig,
  peopleTellerFromConfig,
} from '../src/notify/index.ts';
import { parsePolicy } from '../src/policy/index.ts';
import {
  createPackageLinks,
  createPackageStorages,
  createPeopleToTell,
  createRequests,
  limitOf,
  linkForPerson,
  type Requests,
  requestMigrations,
  verificationFromConfig,
} from '../src/requests/index.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { eventually } from './eventually.ts';
import { inMemoryApplication, TEST_KEY, TEST_ORGANIZATION } from './in-memory-application.ts';
import { type MailServer, type ReceivedMail, receiveMails } from './mail-server.ts';
import { MemorySystem, memorySystems } from './memory-system.ts';

export interface AskingHouseOptions {
  /** What `habeas.yaml` has under these names. */
  readonly intake?: object;
  readonly people?: object;
  readonly portal?: object;
  /** What purposes.yaml says. (Default: there is none) */
  readonly purposes?: string;
  readonly policy?: string;
  readonly clock?: Clock;
  readonly smtp?: SMTPServerOptions;
  readonly publicUrl?: string;
}

/** A server that people can ask by themselves: PostgreSQL, the HTTP API and a mail server are real, the one system lives in memory. */
export interface AskingHouse extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly app: HttpServer;
  readonly consent: Consent;
  readonly requests: Requests;
  readonly mail: MailServer;
  readonly system: MemorySystem;
  readonly config: Config;
  /** Everything that was logged. */
  readonly log: string[];
  post(path: string, body: object, more?: CallOptions): Promise<Answer>;
  get(path: string): Promise<Answer>;
  ask(body: object, more?: CallOptions): Promise<api.NewAskedView>;
  /** The newest mail to this address, once there are so many. */
  mailTo(address: string, count?: number): Promise<ReceivedMail>;
  inState(requestId: string, state: api.RequestState): Promise<api.RequestView>;
}

interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
  /** With the API key. */
  readonly key?: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers of many shapes.
  readonly body: any;
}

export const asker = { organizationId: TEST_ORGANIZATION, actor: 'key:key_1' };

export async function openAskingHouse(options: AskingHouseOptions = {}): Promise<AskingHouse> {
  const { clock = systemClock, publicUrl = 'https://habeas.example' } = options;
  const database = await createTestDatabase({
    ...auditMigrations,
    ...notifyMigrations,
    ...requestMigrations,
    ...consentMigrations,
  });
  const mail = await receiveMails(options.smtp);
  const log: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  const logger = createLogger({ level: 'info', destination });
  const config = parseConfig({
    text: JSON.stringify({
      notify: { smtp: { url: `smtp://127.0.0.1:${mail.port}`, from: 'privacy@acme.example' } },
      networks: { allow_private: ['127.0.0.1'] },
      intake: { page: 'https://privacy.acme.example/ask', ...options.intake },
      portal: options.portal ?? {},
      people: { name: 'ACME', ...options.people },
    }),
    file: 'habeas.yaml',
    environment: {},
  });
  const page = intakePageOf(config, publicUrl);
  const system = new MemorySystem('shop', [{ email: 'ada@example.org', user_id: 'u1', name: 'Ada' }]);
  const masterKey = newSecretKey();
  const policy = parsePolicy(options.policy ?? '', 'policy.yaml');
  const { db, pool } = database;
  const organizationId = TEST_ORGANIZATION;
  const feed = createEventFeed({ db, pool, logger, pollMilliseconds: 500 });
  const file =
    options.purposes === undefined ? NO_PURPOSES : parsePurposeFile(options.purposes, 'purposes.yaml');
  const consent = createConsent({ db, organizationId, masterKey, clock, file });
  const requests = createRequests({
    db,
    organizationId,
    databaseUrl: database.url,
    systems: memorySystems([system]),
    policy,
    masterKey,
    clock,
    logger,
    heldHere: (person) => consent.held(person),
    sign: async () => ({ signature: 'unsigned in this test', publicKey: {} }),
    proveEntry: async () => undefined,
    callback: (taskId) => ({ url: `http://127.0.0.1/${taskId}`, secret: 'none' }),
    verifyCallback: () => new Date(),
    retry: { maxFailures: 4, firstDelayMilliseconds: 1, longestDelayMilliseconds: 5 },
    reconcileMilliseconds: 50,
    verification: verificationFromConfig(config, publicUrl),
  });
  const outbound = createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.0/8'] }) });
  const sender = createMailSender({
    smtp: { url: `smtp://127.0.0.1:${mail.port}`, from: 'privacy@acme.example' },
    outbound,
  });
  const packageTexts = packageTextsFromConfig(config, { organizationId: organizationId, sender });
  const packageLinks = createPackageLinks({
    db,
    storages: createPackageStorages({ db, clock, config, outbound }),
    masterKey,
    clock,
    publicUrl,
    organizationId,
    texts: packageTexts,
  });
  const teller = peopleTellerFromConfig(config, {
    db,
    pool,
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
      page,
      codesPerAddress: limitOf(config.intake?.limits.codes_per_address ?? { most: 1, per: 1 }),
      resultLink: (ref) => linkForPerson(packageLinks, ref),
    }),
    clock,
    logger,
  });
  await teller?.start();
  await requests.start();
  const consentTag = createConsentTag({
    consent,
    organizationId,
    file,
    masterKey,
    clock,
    origins: [],
    identitySecrets: [],
    merge: false,
  });
  const application = inMemoryApplication({ db, logger });
  const app = await createHttpServer(
    {
      ...application,
      requests,
      packageLinks,
      packageTexts,
      publicUrl,
      intakePage: page,
      portal: assemblePortal(config, { organizationId, purposes: file.purposes }),
      consent,
      consentTag,
      clock,
      contactProofs: assembleContactProofs({ db, organizationId, masterKey }, config, packageTexts, clock),
    },
    { rateLimits: { perKey: 1_000_000, perAddress: 1_000_000 } },
  );

  const call = async (method: 'GET' | 'POST', path: string, body?: object, more: CallOptions = {}) => {
    const answer = await app.inject({
      method,
      url: path,
      headers: {
        ...(more.key === true ? { authorization: `Bearer ${TEST_KEY}` } : {}),
        ...(more.address === undefined ? {} : { 'x-forwarded-for': more.address }),
        ...more.headers,
      },
      ...(body === undefined ? {} : { payload: body }),
    });
    const text = answer.body;
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: text.startsWith('{') ? JSON.parse(text) : text,
    };
  };

  return {
    database,
    app,
    consent,
    requests,
    mail,
    system,
    config,
    log,
    post: (path, body, more) => call('POST', path, body, more),
    get: (path) => call('GET', path, undefined, { key: true }),
    async ask(body, more) {
      const answer = await call('POST', '/api/v1/public/requests', body, more);
      if (answer.status !== 202) throw new Error(`asking was answered with ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    async mailTo(address, count = 1) {
      const mails = () => mail.mails.filter(({ to }) => to.includes(address));
      await eventually(`${count} mails to ${address}`, () => mails().length >= count);
      const newest = mails()[count - 1];
      if (newest === undefined) throw new Error('There is no mail.');
      return newest;
    },
    async inState(requestId, state) {
      await eventually(`${requestId} is ${state}`, async () => {
        const request = await requests.get(asker, requestId);
        return request.state === state;
      });
      return requests.get(asker, requestId);
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await teller?.stop();
      await feed.close();
      await requests.stop();
      await mail[Symbol.asyncDispose]();
      await database.close();
    },
  };
}

/** The code in a mail. */
export function codeIn({ parsed }: ReceivedMail): string {
  const code = /\b(\d{8})\b/.exec(parsed.text ?? '')?.[1];
  if (code === undefined) throw new Error('The mail has no code.');
  return code;
}

/** The token in a mail's link. */
export function tokenIn({ parsed }: ReceivedMail): string {
  const token = /#([\w-]{43})$/m.exec(parsed.text ?? '')?.[1];
  if (token === undefined) throw new Error('The mail has no link with a token.');
  return token;
}
