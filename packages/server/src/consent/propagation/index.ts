export * from './create-propagation.ts';
export { type Destination, destinationsOf } from './destination.ts';
export * from './migrations.ts';
export type { PropagationState } from './propagation-state.ts';
