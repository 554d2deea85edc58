import type { ApiKeys, MemberSignIn, Members, Principal, Sessions } from '../access/index.ts';
import type { AuditLog, PublishedLog } from '../audit/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { Connections } from '../connectors/index.ts';
import type {
  Consent,
  ConsentExports,
  ConsentNotices,
  ConsentReceipts,
  ConsentTag,
  JobRuns,
  PropagationState,
  SqlEnforcer,
  TargetSyncs,
} from '../consent/index.ts';
import type { Clock, Database, Logger } from '../foundation/index.ts';
import type { DataMap, MapExports } from '../map/index.ts';
import type { EventFeed, PackageTexts, Webhooks } from '../notify/index.ts';
import type { Import, Partners } from '../partners/index.ts';
import type { Policy } from '../policy/index.ts';
import type { ContactProofs, PackageLinks, Requests, Trackers } from '../requests/index.ts';
import type { Portal } from './portal/portal.ts';

/** Everything that the faces (HTTP and command line) may use. `create-server.ts` puts it together. */
export interface Application {
  readonly organizationId: string;
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly requests: Requests;
  readonly packageLinks: PackageLinks;
  readonly packageTexts: Pick<PackageTexts, 'words' | 'language'>;
  readonly trackers: Pick<Trackers, 'report'>;
  readonly policy: Policy;
  readonly partners: Pick<Partners, 'registry' | 'openDsr' | 'drp'>;
  readonly imports: Import;
  readonly consent: Consent;
  readonly consentTag: ConsentTag;
  readonly jobRuns: JobRuns;
  readonly sqlEnforcer: Pick<SqlEnforcer, 'enforce'>;
  readonly consentNotices: Pick<ConsentNotices, 'get' | 'gpc'>;
  readonly consentExports: ConsentExports;
  readonly consentReceipts: ConsentReceipts;
  readonly propagation: PropagationState;
  readonly consentTargets: Pick<TargetSyncs, 'statuses'>;
  readonly map: DataMap;
  readonly catalog: Catalog;
  readonly mapExports: MapExports;
  readonly connections: Connections;
  readonly feed: EventFeed;
  readonly webhooks: Webhooks;
  /** How others reach this server; without a slash at the end. */
  readonly publicUrl: string;
  /** Where people go on with a request that they made by themselves. */
  readonly intakePage: string | undefined;
  /** Undefined where people cannot ask, or no mail server sends codes. */
  readonly contactProofs: ContactProofs | undefined;
  /** The pages on which people ask; undefined where people cannot. */
  readonly portal: Portal | undefined;
  /** Addresses and ranges of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** What Habeas declares about itself, for its metrics page. */
  readonly ownMetrics: string;
  readonly auditLog: Pick<AuditLog, keyof PublishedLog | 'verifierKeys'>;
  readonly keys: ApiKeys;
  readonly sessions: Sessions;
  readonly members: Members;
  /** Undefined where the organization has no sign-in of its own. */
  readonly memberSignIn: MemberSignIn | undefined;
  /** Resolves a presented API key to who it is, or undefined. */
  authenticate(presentedKey: string): Promise<Principal | undefined>;
  /** Public keys (base64url of the Ed25519 point) with which services check Habeas' tokens. */
  publicKeys(): Promise<readonly string[]>;
}
