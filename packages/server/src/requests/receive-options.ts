import type { api } from '@habeas/contract';

/** What somebody asks for. */
export interface ReceiveOptions {
  readonly right: api.Right;
  readonly identities: readonly api.Identity[];
  readonly dryRun: boolean;
  /** The law that it is answered under. (Default: the policy's) */
  readonly regime?: api.Regime | undefined;
  /** What the person is to the organization. (Default: the policy's) */
  readonly subjectKind?: api.SubjectKind | undefined;
  /** Of a rectification. */
  readonly changes?: readonly api.FieldChange[] | undefined;
  /** Of an objection. */
  readonly purposes?: readonly string[] | undefined;
  /** Of a restriction, an objection, an opt-out or a limitation: ends it. (Default: false) */
  readonly lift?: boolean | undefined;
  /** Of mails to the person. (Default: the configuration's) */
  readonly language?: api.Language | undefined;
  /** The same key and body gives the same request again; the same key with another body is IDEMPOTENCY_KEY_REUSED. */
  readonly idempotencyKey?: string | undefined;
}
