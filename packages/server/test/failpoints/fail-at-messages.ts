import { NatsConnectionImpl } from '@nats-io/transport-node';

/** Each message to NATS that Habeas waits for an answer to, and each acknowledgement. */
export function failAtMessages(passes: (name: string) => void): void {
  const connection = NatsConnectionImpl.prototype;
  const request = connection.request;
  connection.request = async function (this: typeof connection, ...given: Parameters<typeof request>) {
    const name = nameOf(given[0]);
    if (name === undefined) return request.apply(this, given);
    passes(`before ${name}`);
    const answer = await request.apply(this, given);
    passes(`after ${name}`);
    return answer;
  };
  const publish = connection.publish;
  connection.publish = function (this: typeof connection, ...given: Parameters<typeof publish>) {
    const name = nameOf(given[0]);
    if (name === undefined || !given[0].startsWith('$JS.ACK')) return publish.apply(this, given);
    passes(`before ${name}`);
    publish.apply(this, given);
    passes(`after ${name}`);
  };
}

/** undefined for what is about the connection and not about a message: what streams and consumers there are. */
function nameOf(subject: string): string | undefined {
  if (subject.startsWith('$JS.API')) return undefined;
  if (subject.startsWith('$JS.ACK')) return 'acknowledgement of a status event';
  return `message ${subject}`;
}
