import { resolve } from 'node:path';
import { type Clock, type Config, HabeasError, type Outbound, openS3 } from '../foundation/index.ts';
import { checkpointBucket } from './checkpoint-bucket.ts';
import { checkpointFolder } from './checkpoint-folder.ts';
import type { CheckpointPlace, CheckpointPlaces } from './checkpoint-place.ts';

export interface CreateCheckpointPlacesOptions {
  readonly config: Pick<Config, 'audit' | 'folder'>;
  readonly outbound: Outbound;
  readonly clock: Clock;
}

/** A signature waits for them at the first time, and whoever asks for a receipt with it. */
const TIMEOUT_MILLISECONDS = 10_000;

/** Every place where the configuration has checkpoints published. Throws CONFIG_INVALID. */
export function createCheckpointPlaces(options: CreateCheckpointPlacesOptions): CheckpointPlaces {
  const { audit, folder } = options.config;
  const { publish } = audit;
  const places: CheckpointPlace[] = [];
  if (publish.folder !== undefined) places.push(checkpointFolder(resolve(folder, publish.folder)));
  if (publish.s3 !== undefined) {
    const client = openS3({
      setting: 'audit.publish.s3',
      config: publish.s3,
      folder,
      outbound: options.outbound,
      clock: options.clock,
      timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    });
    places.push(checkpointBucket(client, { name: `bucket ${publish.s3.bucket}`, prefix: publish.s3.prefix }));
  }
  return {
    async newest() {
      const found = await Promise.all(places.map((place) => place.newest()));
      return found.filter((checkpoint) => checkpoint !== undefined);
    },
    check: () =>
      Promise.all(
        places.map(async (place) => ({
          place: place.name,
          error: await place.check().then(
            () => undefined,
            (error: unknown) => HabeasError.from(error),
          ),
        })),
      ),
    async write(size, checkpoint) {
      await Promise.all(places.map((place) => place.write(size, checkpoint)));
    },
    close() {
      for (const place of places) place.close();
    },
  };
}
