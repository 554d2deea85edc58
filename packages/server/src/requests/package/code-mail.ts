/** The mail with the code that opens a package. Names nobody. */
export function codeMail(values: {
  readonly code: string;
  readonly minutes: number;
  readonly organization: string;
  readonly requestId: string;
}): { readonly subject: string; readonly text: string; readonly html: string } {
  const { code, minutes, organization, requestId } = values;
  const before = `Somebody, probably you, opened the link to your data at ${organization}. Enter this code there:`;
  const after = `It works once, and for ${minutes} minutes. If you did not open the link, ignore this mail, and tell the code to nobody.`;
  return {
    subject: `Your code for your data at ${organization}`,
    text: `${before}\n\n    ${code}\n\n${after}\n\nRequest ${requestId}\n`,
    html: `<p>${before}</p>\n<p style="font-size:28px;letter-spacing:4px"><strong>${code}</strong></p>\n<p>${after}</p>\n<p><small>Request ${requestId}</small></p>\n`,
  };
}
