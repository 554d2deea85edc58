export { createTrackers, type Trackers } from './create-trackers.ts';
