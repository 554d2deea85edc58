import type { PersonalDataHandlers } from '@habeas/sdk';

/** Stands for a slow store of the service. */
export interface Archive {
  remove(emails: readonly string[], signal: AbortSignal): Promise<number>;
}

export function deleteLater(archive: Archive): PersonalDataHandlers['delete'] {
  return (call) =>
    call.later(async () => {
      const mails = await archive.remove(call.values('email'), call.signal);
      return { counts: { mails }, residuals: [{ what: 'nightly backup', until: new Date('2030-01-31') }] };
    });
}
