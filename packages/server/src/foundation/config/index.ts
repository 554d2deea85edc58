export type { ClientTlsConfig } from './clients-section.ts';
export type { ConnectionConfig } from './connections-section.ts';
export * from './load-config.ts';
export * from './map-section.ts';
export type { NotifyConfig } from './notify-section.ts';
export type { PartnersConfig } from './partners-section.ts';
export * from './schema.ts';
export { durationToMilliseconds } from './values.ts';
export * from './yaml-with-places.ts';
