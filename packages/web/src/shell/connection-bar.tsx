import { Alert } from '@mantine/core';
import { type Connection, useConnection } from '../api/connection.ts';

const WORDS: Readonly<
  Record<Exclude<Connection, 'good'>, { readonly title: string; readonly text: string }>
> = {
  lost: {
    title: 'The server does not answer',
    text: 'What you see may be out of date. The page tries again by itself, and goes on when the server is back.',
  },
  slow: {
    title: 'The server takes long to answer',
    text: 'Nothing is lost: the page goes on as soon as the answer comes.',
  },
};

/** Says that the server does not answer, or takes long, as long as it does. */
export function ConnectionBar() {
  const connection = useConnection();
  return (
    <div role="status">
      {connection !== 'good' && (
        <Alert color="yellow" mb="md" title={WORDS[connection].title}>
          {WORDS[connection].text}
        </Alert>
      )}
    </div>
  );
}
