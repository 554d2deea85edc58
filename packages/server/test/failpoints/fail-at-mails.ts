import { createTransport } from 'nodemailer';

interface Mailer {
  sendMail(mail: { readonly subject?: string }): Promise<unknown>;
}

/** Each mail that is handed to the mail server. */
export function failAtMails(passes: (name: string) => void): void {
  // Every transport has this prototype, also those that are made later.
  const mailer = Object.getPrototypeOf(createTransport({ jsonTransport: true })) as Mailer;
  const sendMail = mailer.sendMail;
  mailer.sendMail = async function (this: Mailer, mail) {
    const name = `mail "${(mail.subject ?? '').replaceAll(/[a-z]+_[0-9a-z]{20,}/g, 'id')}"`;
    passes(`before ${name}`);
    const sent = await sendMail.call(this, mail);
    passes(`after ${name}`);
    return sent;
  };
}
