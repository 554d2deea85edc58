// The README shows these lines.
import { declare, servePersonalData } from '@habeas/sdk';
import { users } from './users.ts';

// biome-ignore format: one line for each thing that a team says, as in the README.
await servePersonalData({
  service: 'accounts', port: 1337, habeas: { publicKeys: [process.env.HABEAS_PUBLIC_KEY ?? ''] },
  declared: declare({ team: 'web', service: 'accounts', stores: ['email'], client: { address: 'localhost:1337' } }),
  describe: { dataCategories: ['user.contact.email', 'user.name'], identitiesNeeded: ['email'] },
  get: ({ values }) => users.find(values('email')).map((row) => ({ collection: 'users', row })),
  delete: ({ values }) => ({ counts: { users: users.remove(values('email')) } }),
  verify: ({ values }) => ({ counts: { users: users.find(values('email')).length } }),
});
