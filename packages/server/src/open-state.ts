import { createKey, createSigner, ensureFirstKey } from './access/index.ts';
import {
  appendAudit,
  type CheckpointPlaces,
  createAuditLog,
  createCheckpointPlaces,
  parseTrust,
  verifyLog,
} from './audit/index.ts';
import type { OpenStateOptions, State } from './cli/index.ts';
import { createServer } from './create-server.ts';
import { loadMasterKey, migrate, openDatabase, pingDatabase, systemClock } from './foundation/index.ts';
import { type Foundations, outboundOf } from './foundations.ts';
import { migrations } from './migrations.ts';
import { createPauses } from './requests/index.ts';

/** Connections of one process to its database, without the life line of its worker. */
const CONNECTIONS = 16;

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
