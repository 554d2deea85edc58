/** A shop in which one person has very many rows, on one kind of store, made anew as often as it is needed. */
export interface EraseShop extends AsyncDisposable {
  /** The kind of its connection. */
  readonly kind: 'postgres' | 'mysql' | 'sqlite';
  /** Where Habeas finds the copy. */
  readonly url: string;
  /** A fresh copy, with everything written to the disk, so that no run pays for the one before. */
  copy(): Promise<void>;
  /** Erases this e-mail address by hand. */
  eraseByHand(email: string): Promise<ByHand>;
  /** Rows of all tables. */
  count(): Promise<number>;
}

export interface ByHand {
  /** All of it: the ids found, the rows deleted and committed, and looked for again. */
  readonly milliseconds: number;
  /** The deletions and their commit alone. */
  readonly deleting: number;
  /** How many rows went. */
  readonly rows: number;
}
