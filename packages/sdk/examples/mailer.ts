import { type PersonalDataCall, type Retained, servePersonalData } from '@habeas/sdk';
import { mails } from './mails.ts';

/** What stays, in words for the person: always the same for `delete` and `verify`. */
async function kept({ values }: PersonalDataCall): Promise<readonly Retained[]> {
  const { invoices: count } = await mails.count(values('email'));
  const reason = 'Tax law asks us to keep invoices for ten years';
  return count === 0 ? [] : [{ category: 'invoices', count, reason, until: new Date('2036-12-31') }];
}

await servePersonalData({
  service: 'mailer',
  port: 1339,
  habeas: { publicKeys: [process.env.HABEAS_PUBLIC_KEY ?? ''] },
  describe: { dataCategories: ['user.contact.email'], identitiesNeeded: ['email'] },
  // A generator: the result need not fit in memory.
  async *get({ values }) {
    for await (const row of mails.read(values('email')))
      yield { collection: row.invoice ? 'invoices' : 'mails', row };
  },
  // Takes longer than a call: Habeas is told QUEUED now, and the end when it is there.
  delete: (call) =>
    call.later(async () => {
      const erased = await mails.erase(call.values('email'));
      const backup = { what: 'nightly backup', until: new Date(Date.now() + 30 * 86_400_000) };
      return {
        counts: { mails: erased },
        retained: await kept(call),
        residuals: erased === 0 ? [] : [backup],
      };
    }),
  // Reads the store, never what `delete` remembers. What is kept is not counted, but told.
  verify: async (call) => ({
    counts: { mails: (await mails.count(call.values('email'))).others },
    retained: await kept(call),
  }),
});
