/** A shop in which one person has very many rows, on one kind of store, made anew as often as it is needed. */
export interface EraseShop extends AsyncDisposable {
  /** The kind of its connection. */
  readonly kind: 'postgres' | 'mysql' | 'sqlite';
  /** Where Habeas finds the copy. */
  readonly url: string;
  /** A fresh copy, with everything written to the disk, so that no run pays for the one before. */
  copy(): Promise<void>;
  /**
   * Runs the statements that a programmer would write who knows the schema by heart, in one transaction, for this e-mail address. How long it
   * took, with the commit, and how many rows went.
   */
  eraseByHand(email: string): Promise<{ readonly milliseconds: number; readonly rows: number }>;
  /** Rows of all tables. */
  count(): Promise<number>;
}
