export { MalformedString } from './bits.ts';
export { choicesOfGpp, choicesOfTcf, stringsOf } from './choices.ts';
