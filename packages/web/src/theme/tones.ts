/** What a colour means; the only place where a state becomes one. Colour is never the only sign: the word stands beside it. */
export type Tone = 'quiet' | 'busy' | 'good' | 'watch' | 'bad';

export const COLOR_OF: Readonly<Record<Tone, string>> = {
  quiet: 'gray',
  busy: 'house',
  good: 'teal',
  watch: 'yellow',
  bad: 'red',
};
