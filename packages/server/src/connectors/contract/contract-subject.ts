import type { Identity } from '../../catalog/index.ts';
import type { Connector } from '../connector.ts';

/** A store with people in it, for the rules that every connector keeps. */
export interface ContractSubject {
  readonly connector: Connector;
  /** A person whose data an erasure changes so that nothing targeted is readable afterwards. Undefined: there is none left to erase. */
  readonly person: readonly Identity[] | undefined;
  /** Another person with data, whom the erasure of the first does not touch. Undefined: nobody is known. */
  readonly other: readonly Identity[] | undefined;
  /** People whose whole identity is `0`, an empty text or the like, where the store can have them. (Default: none) */
  readonly falsy?: readonly (readonly Identity[])[];
  /** Everything that the store holds, to see whether a call changed anything. Undefined: it cannot be told. */
  readonly snapshot?: () => Promise<unknown>;
  close(): Promise<void>;
}

/** Opens the store. A store of a fixture is made anew each time, with the same data; one that really exists is there once. */
export interface ContractStore {
  open(use: 'read' | 'erase'): Promise<ContractSubject>;
}
