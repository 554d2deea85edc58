export { createStreams, type Streams } from './create-streams.ts';
