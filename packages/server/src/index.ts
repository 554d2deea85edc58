/** What a connector of one's own is written against; see docs/write-a-connector.md. */
export type { CollectionShape, Dataset, Identity, KeepRule } from './catalog/index.ts';
export type {
  Capability,
  CollectStep,
  ConnectionSettings,
  Connector,
  ContractSubject,
  EraseMode,
  Evidence,
  Health,
  Item,
  KeyBatch,
  LocatedScope,
  Outcome,
  Residual,
  Residue,
  Retained,
  Scope,
} from './connectors/index.ts';
