import * as z from 'zod';

/** What is spelled otherwise is no id of ours, and may be anything; nothing repeats it. */
const id = (names: string) =>
  z
    .string()
    .max(100)
    .refine((text) => /^[\w-]+$/.test(text), 'letters, digits, - and _')
    .describe(names);

export const requestIdParams = z.object({ id: id('Id of the request') });
export const taskIdParams = z.object({ id: id('Id of the request'), taskId: id('Id of the task') });
export const ticketIdParams = z.object({ id: id('Id of the ticket') });
export const clientIdParams = z.object({ id: id('Id of the client') });
export const gapIdParams = z.object({ id: id('Id of the gap') });
export const connectionKeyParams = z.object({ key: id('Key of the connection') });
export const partnerIdParams = z.object({ id: id('Id of the partner') });
export const holdIdParams = z.object({ id: id('Id of the legal hold') });
export const jobRunIdParams = z.object({ id: id('Id of the run of a job') });
export const consentExportIdParams = z.object({ id: id('Id of the export') });
export const memberIdParams = z.object({ id: id('Id of the member') });
export const keyIdParams = z.object({ id: id('Id of the API key') });
