export * from './audit.ts';
export * from './common.ts';
export * from './declarations.ts';
export * from './keys.ts';
export * from './map.ts';
export * from './map-exports.ts';
export * from './pauses.ts';
export * from './requests.ts';
