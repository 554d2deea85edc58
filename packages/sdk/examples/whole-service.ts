import { declare, servePersonalData } from '@habeas/sdk';

/** Stands for the service's own store: user id → profile. */
const profiles = new Map([['7', { id: '7', email: 'ada@example.org', name: 'Ada' }]]);
const of = (emails: readonly string[]) =>
  [...profiles.values()].filter(({ email }) => emails.includes(email));

const server = await servePersonalData({
  service: 'accounts',
  port: Number(process.env.PORT ?? 1337),
  habeas: { publicKeys: [process.env.HABEAS_PUBLIC_KEY ?? ''] },
  declared: declare({ team: 'identity', service: 'accounts', stores: ['email', 'name'] }),
  describe: { dataCategories: ['user.contact.email', 'user.name'], identitiesNeeded: ['email'] },
  get: ({ values }) => of(values('email')).map((row) => ({ collection: 'profiles', row })),
  verify: ({ values }) => ({ counts: { profiles: of(values('email')).length } }),
  delete: ({ values }) => {
    const found = of(values('email'));
    for (const { id } of found) profiles.delete(id);
    return { counts: { profiles: found.length } };
  },
});
console.log(`accounts answers on port ${server.port}`);
process.on('SIGTERM', () => server.close());
