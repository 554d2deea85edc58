/** A type and a value that point at a person. Types are `email`, `phone_number`, `user_id`, or what a dataset names. */
export interface Identity {
  readonly type: string;
  readonly value: string;
}
