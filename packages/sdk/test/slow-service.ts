// A service in a process of its own, so that a test can kill it. HANGS=1: its work never ends.
import { servePersonalData } from '../src/index.ts';

const server = await servePersonalData({
  service: 'accounts',
  port: 0,
  host: '127.0.0.1',
  habeas: { publicKeys: [process.env.HABEAS_PUBLIC_KEY ?? ''] },
  describe: { dataCategories: [], identitiesNeeded: ['email'] },
  get: () => [],
  verify: () => ({ counts: {} }),
  delete: (call) =>
    call.later(async () => {
      console.log(`begun ${call.idempotencyKey}`);
      if (process.env.HANGS === '1') await new Promise(() => undefined);
      return { counts: { profiles: call.values('email').length } };
    }),
});
console.log(`port ${server.port}`);
