import type { Generated } from 'kysely';

export type AuditTables = {
  audit_entries: {
    organization_id: string;
    sequence: Generated<number>;
    id: string;
    at: Date;
    actor: string;
    action: string;
    subject: string;
    details: string;
    leaf_hash: Uint8Array;
  };
  /** The Merkle log of an organization. */
  audit_logs: {
    organization_id: string;
    /** First line of every checkpoint; names the log for ever. */
    origin: string;
    /** Entries that are in the tree. */
    size: number;
    /** Sequence of the last of them. All entries up to it are in the tree, in the order of their sequences. */
    integrated_to: number;
    /** The newest checkpoint: a signed note. Null: none was signed yet. */
    checkpoint: string | null;
    checkpoint_size: number | null;
    checkpoint_at: Date | null;
  };
  audit_tiles: {
    organization_id: string;
    level: number;
    number: number;
    hashes: Uint8Array;
    /** Of level 0: the sequences of the entries whose hashes these are. */
    sequences: readonly number[] | null;
    first_sequence: number | null;
  };
};
