export { type BloomShape, bloomPlaces } from './bloom-places.ts';
export {
  type ConsentExport,
  ConsentExportError,
  type ConsentExportOptions,
  openConsentExport,
} from './open-consent-export.ts';
