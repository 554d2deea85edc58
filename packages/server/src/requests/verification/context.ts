import type { Clock, Database, Logger, SecretKey } from '../../foundation/index.ts';
import type { Policy } from '../../policy/index.ts';
import type { RequestRef } from '../identity-vault.ts';
import type { Transitions } from '../transitions.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Digests } from './secrets.ts';
import type { VerificationRules } from './verification.ts';

/** What the parts of verification share. */
export interface VerificationContext {
  readonly db: Database;
  readonly organizationId: string;
  readonly rules: VerificationRules;
  readonly policy: Policy;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transitions: Transitions;
  readonly planReceived: (ref: RequestRef) => Promise<void>;
  readonly digests: Digests;
  readonly limits: RateLimits;
}

/** What it takes to go on with what was proved, and to end what was not: more than the rules for asking, which may be gone. */
export type ConclusionContext = Omit<VerificationContext, 'rules' | 'limits' | 'policy'>;

/** Who is the actor of what somebody without an API key does. */
export const PERSON = 'person';
