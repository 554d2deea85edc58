/** Tables that sources remember by what a single answer does not say. */
export type SourceTables = {
  /** Which targets a declaration was last seen at. */
  map_carriers: {
    organization_id: string;
    source: string;
    /** `declarationKey`. */
    declaration: string;
    /** `targetOf`. */
    target: string;
  };
  /** How many samples of a target its source left out when all that it had declared was there. */
  map_targets: {
    organization_id: string;
    source: string;
    target: string;
    dropped: number;
  };
  /** Counts changes of the two above, so that a server sees that another one wrote. */
  map_carrier_versions: {
    organization_id: string;
    source: string;
    version: number;
  };
  /** How far the history of a source was read. */
  map_backfill: {
    organization_id: string;
    source: string;
    /** Where it began, and where polling took over. */
    from_at: Date;
    until_at: Date;
    /** Everything before was read and stored. */
    cursor_at: Date;
    /** JSON: declarations that still count at the cursor although they are not seen there, with their targets. */
    held: string;
  };
  /** Jobs that pushed, and until when that counts. */
  map_pushes: {
    organization_id: string;
    source: string;
    expires_at: Date;
  };
};
