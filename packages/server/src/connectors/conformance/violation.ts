/** The service breaks the rule. The message says what was expected and what came. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** The case does not apply to this service. The message says why. */
export class Skip extends Error {
  override readonly name = 'Skip';
}

/** Throws a Violation unless it holds. */
export function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Violation(otherwise);
}
