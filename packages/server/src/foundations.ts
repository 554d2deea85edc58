import type { Signer } from './access/index.ts';
import type { AuditLog, CheckpointPlaces } from './audit/index.ts';
import type { OpenStateOptions } from './cli/index.ts';
import {
  type Config,
  createOutbound,
  createOutboundPolicy,
  type Database,
  type Outbound,
  type openDatabase,
  type SecretKey,
} from './foundation/index.ts';

/** What every room is built on. */
export interface Foundations extends OpenStateOptions {
  readonly opened: ReturnType<typeof openDatabase>;
  readonly db: Database;
  readonly masterKey: SecretKey;
  readonly signer: Signer;
  readonly auditLog: AuditLog;
  readonly checkpoints: CheckpointPlaces | undefined;
}

/** Opens connections to what the configuration allows, and to nothing else. */
export function outboundOf(config: Pick<Config, 'networks' | 'clients'>): Outbound {
  return createOutbound({
    policy: createOutboundPolicy({
      allowPrivate: config.networks.allow_private,
      allow: config.clients.allow,
    }),
  });
}
