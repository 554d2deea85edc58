export * from './audit.ts';
export * from './common.ts';
export * from './map.ts';
export * from './requests.ts';
