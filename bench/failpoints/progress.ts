/** How far a run is: `12 of 96, about 14 min left`, from what was done so far. */
export function progressOf(options: {
  readonly done: number;
  readonly of: number;
  readonly milliseconds: number;
}): string {
  const { done, of, milliseconds } = options;
  const left = ((milliseconds / done) * (of - done)) / 60_000;
  const told = left >= 1 ? `about ${Math.round(left)} min` : 'less than a minute';
  return done === of ? `${done} of ${of}` : `${done} of ${of}, ${told} left`;
}
