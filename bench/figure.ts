/** One measured figure beside its baseline of the same run. The first seven members are what `--json` prints. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** Of the value and of the baseline. */
  readonly unit: string;
  readonly baseline: number;
  /** The value divided by the baseline. */
  readonly ratio: number;
  /** What has to hold, such as `ratio <= 2`. */
  readonly goal: string;
  readonly pass: boolean;
  /** What was measured, in words. */
  readonly measured: string;
  /** What the baseline is, in words. */
  readonly against: string;
  /** What else a reader should know, such as single runs; one line each. */
  readonly notes: readonly string[];
}

/** The most that a value, a ratio or both may be; `exactly` instead of a most. */
interface Goal {
  readonly value?: number;
  readonly ratio?: number;
  readonly exactly?: { readonly ratio: number };
}

type Unjudged = Omit<Figure, 'ratio' | 'goal' | 'pass' | 'notes'> & {
  readonly goal: Goal;
  readonly notes?: readonly string[];
};

/** Rounds the numbers and says whether the goal is reached; the unrounded numbers decide. */
export function judge({ goal, notes = [], ...figure }: Unjudged): Figure {
  const ratio = figure.value / figure.baseline;
  const conditions = [
    ...atMost('value', figure.value, goal.value),
    ...atMost('ratio', ratio, goal.ratio),
    ...(goal.exactly === undefined
      ? []
      : [{ text: `ratio = ${goal.exactly.ratio}`, holds: ratio === goal.exactly.ratio }]),
  ];
  return {
    ...figure,
    value: round(figure.value),
    baseline: round(figure.baseline),
    ratio: round(ratio),
    goal: conditions.map(({ text }) => text).join(' and '),
    pass: conditions.length > 0 && conditions.every(({ holds }) => holds),
    notes,
  };
}

function atMost(what: string, got: number, limit: number | undefined) {
  return limit === undefined ? [] : [{ text: `${what} <= ${limit}`, holds: got <= limit }];
}

/** Four digits that matter; more would pretend to a precision that no run has. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
