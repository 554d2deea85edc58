export { MalformedString } from './bits.ts';
export { choicesOfGpp, choicesOfTcf, stringsOf, UnknownSections } from './choices.ts';
