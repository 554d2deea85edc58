export { type ApplyOptions, applyReading } from './apply-reading.ts';
export { createAnswers } from './create-answers.ts';
export { type CreateMapOptions, createMap } from './create-map.ts';
export * from './data-map.ts';
export * from './declaration.ts';
export * from './exports/index.ts';
export * from './map-source.ts';
export * from './migrations.ts';
export * from './system.ts';
